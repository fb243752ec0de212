"""How far two optical dates lie apart, and when that is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, map_coordinates

from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.between_dates import MIN_SHIFT_PX, DateShift, shift_between
from cloudfree.sentinel2.optical_scene import OpticalScene

BANDS = ("B03", "B04", "B08")
SIDE = 128


@dataclass(frozen=True)
class ArrayDate:
    """A date in memory, NaN where it is hidden."""

    pixels: Float32
    bands: tuple[str, ...] = BANDS

    def clear(self, bands: Sequence[str], window: Window) -> Float32:
        return self.pixels[[self.bands.index(band) for band in bands]][:, *window.slices]

    def moved(self, shift: Shift) -> ArrayDate:
        """What the date would show if it lay elsewhere."""
        rows, cols = np.mgrid[: self.pixels.shape[1], : self.pixels.shape[2]].astype(float)
        at = np.array([rows - shift.row, cols - shift.col])
        bands = [map_coordinates(band, at, order=3, mode="mirror") for band in self.pixels]
        return ArrayDate(np.stack(bands).astype(np.float32), self.bands)

    def under(self, hidden: tuple[slice, slice], cloud: float = math.nan) -> ArrayDate:
        pixels = self.pixels.copy()
        pixels[:, *hidden] = cloud
        return ArrayDate(pixels, self.bands)


def _ground(seed: int = 0, side: int = SIDE) -> ArrayDate:
    """Fields of a few pixels, each band with its own."""
    noise = np.random.default_rng(seed).normal(0, 1, (3, side, side))
    smooth = gaussian_filter(noise, (0, 2, 2))
    return ArrayDate((0.2 + 0.05 * smooth / smooth.std()).astype(np.float32))


def _found(one: ArrayDate, other: ArrayDate, max_shift: float = 8.0) -> DateShift:
    return shift_between(one, other, BANDS, one.pixels.shape[1:], max_shift)


@settings(max_examples=15)
@given(st.floats(-6, 6), st.floats(-6, 6), st.integers(0, 5))
def test_a_shift_is_found_to_a_tenth_of_a_pixel(row: float, col: float, seed: int) -> None:
    ground = _ground(seed)
    found = _found(ground, ground.moved(Shift(row, col))).shift
    assert math.hypot(found.row - row, found.col - col) < 0.12


def test_the_same_date_is_not_moved() -> None:
    assert _found(_ground(), _ground()).shift == NO_SHIFT


def test_a_shift_that_cannot_be_told_from_none_is_none() -> None:
    ground = _ground()
    found = _found(ground, ground.moved(Shift(MIN_SHIFT_PX / 2, 0)))
    assert found.shift == NO_SHIFT
    assert "px is less than can be told" in found.reason


def test_clouds_of_either_date_do_not_matter() -> None:
    ground = _ground()
    today = ground.under((slice(20, 60), slice(10, 90)))
    other = ground.moved(Shift(1.5, -2.0)).under((slice(70, 128), slice(60, 128)))
    found = _found(today, other)
    assert math.hypot(found.shift.row - 1.5, found.shift.col + 2.0) < 0.1
    assert found.reason.startswith("corrected (reliability")


def test_without_ground_that_is_clear_in_both_nothing_is_moved() -> None:
    ground = _ground()
    upper, lower = (slice(0, 62), slice(None)), (slice(66, None), slice(None))
    found = _found(ground.under(upper), ground.moved(Shift(2, 2)).under(lower))
    assert (found.shift, found.reliable, found.too_far) == (NO_SHIFT, False, False)
    assert "no clear ground with structure" in found.reason


def test_dates_without_a_common_band_are_not_measured() -> None:
    ground = _ground()
    assert not shift_between(ground, ground, (), (SIDE, SIDE), 8.0).reliable


def test_other_ground_is_not_reliable() -> None:
    found = _found(_ground(0), _ground(1))
    assert (found.shift, found.reliable, found.too_far) == (NO_SHIFT, False, False)
    assert "not reliable, left alone" in found.reason


def test_too_small_a_scene_is_not_measured() -> None:
    small = _ground(side=24)
    assert _found(small, small.moved(Shift(2, 2))).shift == NO_SHIFT


def test_a_long_shift_is_too_far() -> None:
    ground = _ground()
    found = _found(ground, ground.moved(Shift(4, 3)), max_shift=4.0)
    assert (found.shift, found.reliable, found.too_far) == (NO_SHIFT, True, True)
    assert found.reason == "left alone: 5.0 px is more than --max-shift 4"


def _date(data: Path, day: str) -> ArrayDate:
    (path,) = (data / "timeseries" / "rois2017_146").glob(f"*_{day}_*.tif")
    with OpticalScene(path, 0.0) as scene:
        return ArrayDate(scene.reflectance(BANDS, scene.grid.window))


@pytest.mark.parametrize("day", ["2018-07-05", "2018-10-08"])
def test_between_real_dates_of_two_seasons_a_shift_adds_up(data: Path, day: str) -> None:
    today, other = _date(data, "2018-07-20"), _date(data, day)
    plain, moved = _found(today, other).shift, _found(today, other.moved(Shift(3.3, -1.6))).shift
    assert plain.length < 1.0
    assert math.hypot(moved.row - plain.row - 3.3, moved.col - plain.col + 1.6) < 0.15
