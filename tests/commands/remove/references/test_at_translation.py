"""Sampling at a moved grid is sampling at its positions."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from cloudfree.commands.remove.references.at_positions import AtPositions
from cloudfree.commands.remove.references.at_translation import AtTranslation, translation
from cloudfree.core.grid import Grid, Window

TEN_METRES = Affine(10, 0, 700_000, 0, -10, 5_000_000)
UTM31, UTM32 = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632))
SOURCE = Grid(UTM31, TEN_METRES, 30, 40)
PLANE = np.random.default_rng(0).uniform(0.1, 1, (30, 40)).astype(np.float32)


@settings(max_examples=50)
@given(st.floats(-15, 40), st.floats(-15, 50), st.integers(1, 20), st.integers(1, 20))
def test_kernels_are_those_at_the_positions(
    row: float, col: float, height: int, width: int
) -> None:
    # Where OpenCV rounds positions to 1/32 of a pixel, too.
    row, col = np.round(row * 32) / 32, np.round(col * 32) / 32
    moved = AtTranslation(row, col, height, width)
    rows, cols = np.mgrid[:height, :width].astype(float)
    at = AtPositions(rows + row, cols + col)
    np.testing.assert_allclose(moved.linear(PLANE), at.linear(PLANE), atol=1e-5)
    # Published cubic kernels differ in one constant, and not by much.
    np.testing.assert_allclose(moved.cubic(PLANE), at.cubic(PLANE), atol=0.15)
    if row % 1 != 0.5 and col % 1 != 0.5:
        np.testing.assert_array_equal(moved.nearest(PLANE), at.nearest(PLANE))


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_slope_stays_a_slope(row: float, col: float) -> None:
    plane = np.add.outer(np.arange(20), 2 * np.arange(30)).astype(np.float32)
    at = AtTranslation(5 + row, 7 + col, 4, 6)
    expected = np.add.outer(5 + row + np.arange(4), 2 * (7 + col + np.arange(6)))
    np.testing.assert_allclose(at.linear(plane), expected, rtol=1e-5)
    np.testing.assert_allclose(at.cubic(plane), expected, rtol=1e-5)


def test_at_whole_pixels_they_are_copied() -> None:
    at = AtTranslation(3, 5, 8, 9)
    for sampled in (at.nearest(PLANE), at.linear(PLANE), at.cubic(PLANE)):
        np.testing.assert_array_equal(sampled, PLANE[3:11, 5:14])


@settings(max_examples=50)
@given(st.floats(-30, 60), st.floats(-30, 60))
def test_the_window_holds_all_that_is_needed(row: float, col: float) -> None:
    at = AtTranslation(row, col, 6, 7)
    part = at.window(SOURCE)
    if part is None:
        assert not at.linear(PLANE).any()
        return
    inside = at.within(part)
    np.testing.assert_allclose(inside.cubic(PLANE[part.slices]), at.cubic(PLANE), atol=1e-6)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_a_moved_grid_is_found(row: float, col: float) -> None:
    found = translation(SOURCE, SOURCE.shifted(row, col).crop(Window(3, 4, 5, 6)))
    assert found == pytest.approx((row + 3, col + 4), abs=1e-5)


def test_a_move_by_whole_pixels_is_one_exactly() -> None:
    far = Grid(UTM31, Affine(10, 0, 300_000, 0, -10, 9_999_990), 10_980, 10_980)
    assert translation(far, far.shifted(5459, 1234)) == (5459.0, 1234.0)


@pytest.mark.parametrize(
    "other",
    [
        Grid(UTM32, TEN_METRES, 30, 40),
        Grid(UTM31, TEN_METRES @ Affine.scale(2), 15, 20),
        Grid(UTM31, TEN_METRES @ Affine.rotation(1), 30, 40),
    ],
    ids=["zone", "pixels", "turned"],
)
def test_other_grids_are_no_translation(other: Grid) -> None:
    assert translation(SOURCE, other) is None
