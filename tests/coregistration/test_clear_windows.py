"""Which windows of a scene are compared, in which order, and what both sensors show of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import MaskClass
from cloudfree.coregistration import clear_windows as module
from cloudfree.coregistration.clear_windows import (
    BANDS,
    BORDER_PX,
    ClearWindow,
    ClearWindows,
    _low_discrepancy_order,
    examined_windows,
    optical_features,
    sar_features,
)
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import (
    TEN_METRES,
    write_cloudy_scene,
    write_radar,
    write_raster,
)
from tests.factories.scene_pairs import field_pair

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


def test_features_are_zero_at_borders_gaps_and_clouds() -> None:
    optical, decibels = field_pair(64)
    usable = np.ones((64, 64), bool)
    usable[20:30, 20:30] = False
    decibels[1, 40:45, 40:45] = np.nan
    seen, echo = optical_features(optical, usable), sar_features(decibels)
    rim = int(BORDER_PX)
    assert (seen[..., 20:30, 20:30] == 0).all()
    assert (echo[..., 40:45, 40:45] == 0).all()
    for features in (seen, echo):
        assert np.isfinite(features).all()
        assert not features[..., :rim, :].any()
        assert not features[..., -rim:].any()
        assert features[..., 32, 10:].any()


@settings(max_examples=15)
@given(st.floats(0.2, 5), st.integers(0, 3))
def test_brightness_does_not_matter(factor: float, seed: int) -> None:
    optical, decibels = field_pair(48, seed=seed)
    usable = np.ones((48, 48), bool)
    one = optical_features(optical, usable)
    assert np.allclose(one, optical_features(optical * np.float32(factor), usable), atol=5e-3)
    assert np.allclose(
        sar_features(decibels), sar_features(decibels + np.float32(factor)), atol=5e-3
    )


def test_what_lies_under_a_cloud_does_not_matter() -> None:
    optical, _ = field_pair(64)
    usable = np.ones((64, 64), bool)
    usable[20:30, 20:30] = False
    clouded = optical.copy()
    clouded[:, 20:30, 20:30] = 0.9
    assert np.array_equal(optical_features(optical, usable), optical_features(clouded, usable))


# A part of a scene under radar ------------------------------------------------------------------


@contextmanager
def _windows(folder: Path, columns: slice) -> Iterator[ClearWindows]:
    """Of a scene of 96 x 640 pixels with radar over some of its columns."""
    optical = write_cloudy_scene(folder / "l1c.tif", 96, 640)
    corner = TEN_METRES @ Affine.translation(columns.start, 0)
    width = columns.stop - columns.start
    radar = write_radar(folder / "s1.tif", 96, width, transform=corner)
    with OpticalScene(optical) as scene, SarScene(radar) as sar:
        yield ClearWindows(sar, scene, None)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLEAR_WINDOW_PX", 32)
    monkeypatch.setattr(module, "MIN_SIDE_PX", 32)
    monkeypatch.setattr(module, "MAX_EXAMINED", 6)


@pytest.mark.usefixtures("small_windows")
def test_under_radar_everywhere_the_windows_are_those_of_the_scene(tmp_path: Path) -> None:
    with _windows(tmp_path, slice(0, 640)) as windows:
        assert windows.part == Window(0, 0, 96, 640)
        assert list(windows._examined()) == examined_windows(96, 640)


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("columns", [slice(0, 40), slice(333, 373), slice(600, 640)])
def test_no_window_is_spent_where_there_is_no_radar(tmp_path: Path, columns: slice) -> None:
    with _windows(tmp_path, columns) as windows:
        assert windows.part == Window(0, columns.start, 96, 40)
        examined = list(windows._examined())
        assert len(examined) == 6
        assert [one.window for one in windows] == examined
        assert windows.cross_power().reach == 8


@pytest.mark.parametrize(
    ("columns", "part"), [(slice(0, 20), (0, 128)), (slice(300, 340), (256, 128)),
                          (slice(630, 640), (512, 128)), (slice(100, 300), (100, 200))],
)  # fmt: skip
def test_a_narrow_strip_is_seen_with_its_surroundings(
    tmp_path: Path, columns: slice, part: tuple[int, int]
) -> None:
    with _windows(tmp_path, columns) as windows:
        assert windows.part == Window(0, part[0], 96, part[1])
