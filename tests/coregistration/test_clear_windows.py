"""Which windows of a scene are compared, and in which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import MaskClass
from cloudfree.coregistration.clear_windows import (
    BANDS,
    ClearWindow,
    ClearWindows,
    _low_discrepancy_order,
)
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import write_radar, write_raster

SIDE = 96


@given(st.integers(1, 60))
def test_the_order_has_every_window_once(count: int) -> None:
    windows = [Window(0, index, 1, 1) for index in range(count)]
    order = [window.col for window in _low_discrepancy_order(windows)]
    assert sorted(order) == list(range(count))


def test_the_first_windows_are_from_all_quarters() -> None:
    windows = [Window(0, index, 1, 1) for index in range(64)]
    first = [window.col for window in _low_discrepancy_order(windows)][:8]
    assert {col // 16 for col in first} == {0, 1, 2, 3}


def _found(folder: Path, classes: np.ndarray) -> tuple[list[ClearWindow], list[ClearWindow]]:
    """The windows under a mask, and the same ones read again."""
    numbers = np.random.default_rng(0).integers(800, 3000, (13, SIDE, SIDE)).astype(np.uint16)
    optical = write_raster(folder / "l1c.tif", numbers, OPTICAL_BANDS)
    mask = write_raster(folder / "mask.tif", classes[None].astype(np.uint8), ["mask"])
    radar = write_radar(folder / "s1.tif", SIDE, SIDE)
    with OpticalScene(optical) as scene, SarScene(radar) as sar, MaskFile(mask, scene.grid) as own:
        windows = ClearWindows(sar, scene, own)
        assert windows.size == (SIDE, SIDE)
        assert windows.bands == BANDS
        found = list(windows)
        return found, [windows.reread(one.window) for one in found]


@pytest.mark.parametrize("value", [MaskClass.CLOUD, MaskClass.SHADOW, MaskClass.NODATA])
def test_a_scene_without_clear_ground_has_none(tmp_path: Path, value: MaskClass) -> None:
    assert _found(tmp_path, np.full((SIDE, SIDE), value))[0] == []


def test_ground_under_clouds_has_no_features(tmp_path: Path) -> None:
    classes = np.zeros((SIDE, SIDE))
    classes[:, :40] = MaskClass.CLOUD
    (found,), (again,) = _found(tmp_path, classes)
    assert found.window == Window(0, 0, SIDE, SIDE)
    assert not found.optical[..., :40].any()
    assert found.optical[..., 60:80].any()
    np.testing.assert_array_equal(found.optical, again.optical)
    np.testing.assert_array_equal(found.sar, again.sar)
