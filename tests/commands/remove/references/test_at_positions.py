"""Sampling at any positions, and the positions of one grid in another."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.commands.remove.references.at_positions import AtPositions, positions_in
from cloudfree.core.grid import Grid, Window
from cloudfree.raster.warp import positions

UTM31, UTM32 = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632))
TEN_METRES = Affine(10, 0, 700_000, 0, -10, 5_000_000)
HERE = Grid(UTM31, TEN_METRES, 1000, 1000)
PLANE = np.add.outer(np.arange(20), 2 * np.arange(30)).astype(np.float32)


def _at(row: float, col: float) -> AtPositions:
    return AtPositions(np.array([[row]]), np.array([[col]]))


def test_a_slope_stays_a_slope() -> None:
    at = _at(5.25, 7.5)
    assert at.linear(PLANE) == pytest.approx(20.25)
    # The constant of OpenCV's kernel, -0.75, moves a slope by up to 0.05 of a pixel.
    assert at.cubic(PLANE) == pytest.approx(20.25, abs=0.1)
    assert _at(5.4, 7.6).nearest(PLANE) == 5 + 2 * 8


@pytest.mark.parametrize("place", [(np.inf, 5), (5, np.nan), (1e9, 5), (5, -1e9), (-4, 5)])
def test_positions_nowhere_are_outside(place: tuple[float, float]) -> None:
    at = _at(*place)
    for sampled in (at.nearest(PLANE + 1), at.linear(PLANE + 1), at.cubic(PLANE + 1)):
        assert sampled == 0


@pytest.mark.parametrize(
    "window", [Window(5, 7, 200, 333), Window(0, 0, 1, 40), Window(3, 3, 1, 1)]
)
def test_positions_in_another_zone_are_those_of_the_projection(window: Window) -> None:
    there = Grid(UTM32, Affine(10, 0, 230_000, 0, -10, 5_010_000), 1000, 1000)
    at = positions_in(there, HERE.crop(window))
    assert at.rows.shape == at.cols.shape == (window.height, window.width)
    down, right = np.mgrid[window.slices]
    exact = positions(HERE, there, np.stack([right.ravel(), down.ravel()], axis=1) + 0.5) - 0.5
    found = np.stack([at.cols.ravel(), at.rows.ravel()], axis=1)
    np.testing.assert_allclose(found, exact, atol=1e-3)


def test_only_the_part_that_is_needed_is_read() -> None:
    source = Grid(UTM31, TEN_METRES, 100, 100)
    rows, cols = np.mgrid[50:60, 90:120].astype(float)
    at = AtPositions(rows, cols)
    assert at.window(source) == Window(47, 87, 16, 13)
    assert AtPositions(rows + 1000, cols).window(source) is None
    assert AtPositions(np.full_like(rows, np.inf), cols).window(source) is None
    within = at.within(Window(47, 87, 16, 13))
    assert (within.rows.min(), within.cols.min()) == (3, 3)
