"""A scene is filled from other dates, and by a network by its expected error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from cloudfree.commands.remove.cloudy_scene import OriginalRows
from cloudfree.commands.remove.combined_filling import (
    NETWORK_ERROR,
    CombinedFilling,
    expected_error,
)
from cloudfree.commands.remove.filling import Fill
from cloudfree.core.grid import Window, strips
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.gap_filler import GapFiller
from cloudfree.gapfilling.observation import Where
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from tests.factories.fields import BANDS, SIDE, below, ground, square, stack_of

CLOUD = square(16, 16, 24)
TRUTH = ground()


def _scene(hidden: Where) -> Any:
    """A scene whose rows are asked for, without a file."""

    def original(window: Window) -> OriginalRows:
        return OriginalRows(np.zeros(1), hidden[window.slices].astype(np.float32))

    grid = SimpleNamespace(height=SIDE, width=SIDE)
    return SimpleNamespace(optical=SimpleNamespace(grid=grid), original=original)


class _Network:
    """Predicts one reflectance, in another order of the bands."""

    bands = BANDS[::-1]
    deviation_tags: ClassVar = {"SPREAD": "none"}

    def __init__(self, card: ModelCard, value: float, deviation: float | None = None) -> None:
        self.scene = SimpleNamespace(model=SimpleNamespace(card=card))
        self._value, self._deviation = value, deviation

    @contextmanager
    def rows(self, _: object) -> Iterator[Any]:
        def planes(value: float, window: Window) -> np.ndarray:
            return np.full((len(BANDS), window.height, window.width), value, np.float32)

        scene = _scene(CLOUD)
        yield (
            (
                window,
                Fill(
                    planes(self._value, window),
                    None if self._deviation is None else planes(self._deviation, window),
                ),
                scene.original(window),
            )
            for window in strips(SIDE, SIDE, 20)
        )


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return read_card(find_model(DEFAULT_MODEL))


def _filler(other_cloud: Where) -> GapFiller:
    other = below(other_cloud, TRUTH * 1.2 + 0.01)
    return GapFiller.fit(stack_of(below(CLOUD, TRUTH), (other,)), silent)


def _filled(filling: CombinedFilling) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    with filling.rows(silent) as rows:
        fills = [fill for _, fill, _ in rows]
    mean = np.concatenate([one.mean for one in fills], axis=1)
    by = np.concatenate([np.asarray(one.by) for one in fills])
    deviations = [one.deviation for one in fills if one.deviation is not None]
    return mean, by, np.concatenate(deviations, axis=1) if deviations else None


def test_clouds_are_filled_with_what_a_reference_saw() -> None:
    filling = CombinedFilling(_scene(CLOUD), _filler(square(0, 0, 1)))
    mean, by, deviation = _filled(filling)
    assert np.abs(mean - TRUTH)[:, CLOUD].max() < 0.01
    assert np.isnan(mean[:, ~CLOUD]).all()
    assert (by[CLOUD] == FillClass.REFERENCE_1).all()
    assert deviation is None


def test_deviations_come_where_they_are_requested() -> None:
    filling = CombinedFilling(_scene(CLOUD), _filler(square(0, 0, 1)), with_deviation=True)
    _, _, deviation = _filled(filling)
    assert deviation is not None
    assert (deviation[:, CLOUD] > 0).all()


def test_a_sure_network_fills_what_no_reference_saw(card: ModelCard) -> None:
    sure = replace(card, scores={"psnr": 60.0})
    network: Any = _Network(sure, 0.5)
    filling = CombinedFilling(_scene(CLOUD), _filler(CLOUD), network)
    mean, by, _ = _filled(filling)
    assert np.abs(mean[:, CLOUD] - 0.5).max() < 0.05
    assert (by[CLOUD] == FillClass.FILLED).all()


def test_an_unsure_network_leaves_what_a_reference_saw(card: ModelCard) -> None:
    network: Any = _Network(replace(card, scores={"psnr": 10.0}), 0.9)
    filling = CombinedFilling(_scene(CLOUD), _filler(square(0, 0, 1)), network)
    mean, by, _ = _filled(filling)
    assert np.abs(mean - TRUTH)[:, CLOUD].max() < 0.01
    assert (by[CLOUD] == FillClass.REFERENCE_1).all()


def test_the_network_tells_its_own_deviation(card: ModelCard) -> None:
    network: Any = _Network(replace(card, scores={"psnr": 80.0}), 0.5, deviation=0.123)
    filling = CombinedFilling(_scene(CLOUD), _filler(CLOUD), network, with_deviation=True)
    _, _, deviation = _filled(filling)
    assert deviation is not None
    assert np.allclose(deviation[:, CLOUD], 0.123, atol=0.01)
    assert filling.deviation_tags["SPREAD"] == "none"


def test_a_scene_of_which_nothing_tells_what_clouds_hide_is_doubted() -> None:
    noise = np.random.default_rng(0).uniform(0.0, 0.2, TRUTH.shape).astype(np.float32)
    filler = GapFiller.fit(stack_of(below(CLOUD, noise), ()), silent)
    doubted = CombinedFilling(_scene(CLOUD), filler)
    _filled(doubted)
    assert doubted.doubt is not None
    assert re.search(r"wrong by 0\.06\d of reflectance, more than clear ground differs from its "
                     r"mean colour \(0\.058\)", doubted.doubt)  # fmt: skip


def test_a_reference_leaves_no_doubt() -> None:
    sure = CombinedFilling(_scene(CLOUD), _filler(square(0, 0, 1)))
    assert sure.doubt is None, "nothing is filled yet"
    _filled(sure)
    assert 0 < sure.expected.root_mean_square < 0.01
    assert sure.doubt is None


def test_the_error_of_a_network_is_that_of_its_score(card: ModelCard) -> None:
    assert expected_error(replace(card, scores={"psnr": 20.0})) == pytest.approx(0.1)
    assert expected_error(replace(card, scores={})) == NETWORK_ERROR
