"""The clouds of a scene that are cut to be transplanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.adapt.clear_samples import WINDOW_PX
from cloudfree.commands.remove.adapt.cloud_samples import MAX_HIDDEN, MIN_HIDDEN, find_transplants
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.inference.model import Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.paint import Paint
from tests.factories.rasters import write_radar, write_raster

SIDE = WINDOW_PX + 32


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[RemovalScene]:
    """Ground of one colour whose left half is cloud, under a network that paints."""
    numbers = np.full((13, SIDE, SIDE), 1500, np.uint16)
    numbers[:, :, : SIDE // 2] = 6000
    mask = np.zeros((1, SIDE, SIDE), np.uint8)
    mask[:, :, : SIDE // 2] = 1
    card = read_card(find_model(DEFAULT_MODEL))
    runtime = TorchRuntime(Paint(), card.inputs, torch.device("cpu"), torch.float32)
    with (
        OpticalScene(write_raster(tmp_path / "s2.tif", numbers, OPTICAL_BANDS), 0.0) as optical,
        SarScene(write_radar(tmp_path / "s1.tif", SIDE, SIDE)) as sar,
        MaskFile(write_raster(tmp_path / "m.tif", mask, ["mask"]), optical.grid) as file,
    ):
        yield RemovalScene(optical, sar, file, Model(card, runtime), NO_SHIFT)


def test_transplants_are_partly_cloud_and_the_same_for_a_seed(scene: RemovalScene) -> None:
    first, again = (find_transplants(scene, seed=3) for _ in range(2))
    assert first
    for one, other in zip(first, again, strict=True):
        assert MIN_HIDDEN <= is_cloud_or_shadow(one.mask).mean() <= MAX_HIDDEN
        assert one.mask.shape == (WINDOW_PX, WINDOW_PX)
        np.testing.assert_array_equal(one.light, other.light)


def test_without_a_mask_there_are_none(scene: RemovalScene) -> None:
    assert find_transplants(replace(scene, mask=None), seed=3) == ()


def test_a_model_that_predicts_other_bands_than_it_takes_has_none(scene: RemovalScene) -> None:
    card = replace(scene.model.card, output_bands=scene.model.card.optical_bands[:-1])
    assert find_transplants(replace(scene, model=replace(scene.model, card=card)), seed=3) == ()
