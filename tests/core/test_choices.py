"""The words that options take are those that the rooms behind them know."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from cloudfree.cloudmask.morphology import parse_distance
from cloudfree.core.choices import (
    DILATION,
    PUBLISHED_MASK,
    SCL,
    MaskSettings,
    Optimiser,
    Precision,
    Schedule,
    ScoreDtype,
    SplitChoice,
    TrainingPrecision,
    mask_path,
)
from cloudfree.datasets.sen12mscr import split_of
from cloudfree.inference.registry import network_names
from cloudfree.training.settings import choose_settings
from tests.factories.sample_folders import TEST, TRAIN, VAL


@pytest.mark.parametrize("network", network_names())
def test_presets_are_made_of_words_that_can_be_chosen(network: str) -> None:
    preset = choose_settings(network, {})
    assert preset.optimiser in get_args(Optimiser)
    assert preset.schedule in get_args(Schedule)
    assert preset.precision in get_args(TrainingPrecision)


def test_splits_are_those_of_the_data_set_and_all() -> None:
    assert {split_of(place) for place in (TEST, VAL, TRAIN)} == set(get_args(SplitChoice)) - {"all"}


def test_a_network_predicts_in_every_precision_that_it_learns_in() -> None:
    assert set(get_args(TrainingPrecision)) == set(get_args(Precision)) - {"auto"}


@pytest.mark.parametrize("name", get_args(ScoreDtype))
def test_scores_are_of_types_that_numpy_knows(name: str) -> None:
    assert np.dtype(name).name == name


def test_masks_are_dilated_by_four_pixels_of_ten_metres() -> None:
    assert parse_distance(DILATION).pixels(10.0) == 4
    assert parse_distance(MaskSettings().dilate).pixels(10.0) == 4


def test_the_published_mask_is_neither_sensitive_nor_dilated() -> None:
    assert not PUBLISHED_MASK.sensitive
    assert parse_distance(PUBLISHED_MASK.dilate).pixels(10.0) == 0
    assert MaskSettings(detector="published", sensitive=False, dilate="0") == PUBLISHED_MASK


def test_settings_of_a_mask_are_given_by_name_and_stay() -> None:
    with pytest.raises(TypeError):
        MaskSettings(0.3)  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        MaskSettings().threshold = 0.3  # type: ignore[misc]


def test_one_word_is_the_mask_of_the_product_and_all_others_are_paths() -> None:
    assert mask_path("scl") == SCL
    assert [mask_path(text) for text in ("./scl", "scl.tif")] == [Path("scl"), Path("scl.tif")]
