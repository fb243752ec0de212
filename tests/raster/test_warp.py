"""Grids of files, and from one grid to another."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from cloudfree.core.displacement import PolynomialDisplacement, Shift
from cloudfree.core.grid import Grid, Window
from cloudfree.raster import warp
from cloudfree.raster.warp import displacement_px, pixel_size_m, placed, same_grid
from tests.factories.rasters import TEN_METRES

UTM = CRS.from_epsg(32631).to_wkt()
GEOGRAPHIC = CRS.from_epsg(4326).to_wkt()
NORTH_UP = Grid(UTM, TEN_METRES, 400, 300)


@pytest.mark.parametrize(
    ("grid", "size"),
    [
        (NORTH_UP, 10.0),
        (Grid(None, Affine.identity(), 100, 100), 10.0),
        (Grid(UTM, Affine(160, 0, 500_000, 0, -160, 5_000_000), 50, 50), 160.0),
        # 1e-4 degrees at 60 degrees north: 11.1 m to the north, half of it to the east.
        (Grid(GEOGRAPHIC, Affine(1e-4, 0, 10, 0, -1e-4, 60), 10, 10), 2 / (1 / 11.14 + 1 / 5.58)),
    ],
    ids=["utm", "none", "coarse", "degrees"],
)
def test_a_pixel_has_its_length_in_metres(grid: Grid, size: float) -> None:
    assert pixel_size_m(grid) == pytest.approx(size, rel=5e-3)


@pytest.mark.parametrize(
    ("azimuth", "expected"), [(0, (-100, 0)), (90, (0, 100)), (180, (100, 0)), (225, (70.7, -70.7))]
)
def test_a_bearing_is_a_displacement_in_pixels(
    azimuth: float, expected: tuple[float, float]
) -> None:
    # Grid north and geographic north agree to 0.1 degrees near the central meridian.
    assert displacement_px(NORTH_UP, azimuth, 1000) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("west", [-179.5, 0.0, 179.5, 179.999, 359.0])
def test_in_degrees_a_metre_is_as_long_across_180_degrees(west: float) -> None:
    """Positions are those of the grid, which may count on beyond."""
    degrees = Grid(
        CRS.from_epsg(4326).to_wkt(), Affine(0.0001, 0, west, 0, -0.0001, 0.005), 100, 100
    )
    assert displacement_px(degrees, 90, 1000)[1] == pytest.approx(89.8, abs=0.1)
    assert displacement_px(degrees, 270, 1000)[1] == pytest.approx(-89.8, abs=0.1)
    assert pixel_size_m(degrees) == pytest.approx(11.1, abs=0.1)


def test_north_is_reversed_on_a_south_up_grid() -> None:
    south_up = Grid(UTM, Affine(10, 0, 500_000, 0, 10, 4_500_000), 400, 300)
    row, _ = displacement_px(south_up, 0, 1000)
    assert row == pytest.approx(100, abs=0.3)


@given(st.floats(-0.4, 0.4).filter(lambda part: abs(abs(part) - 1e-3) > 1e-6))
def test_grids_apart_by_a_part_of_a_pixel_are_different(part: float) -> None:
    other = NORTH_UP.shifted(part, 0)
    assert same_grid(NORTH_UP, other) == (abs(part) < 1e-3)


def test_size_and_coordinates_decide_about_sameness() -> None:
    assert not same_grid(NORTH_UP, Grid(UTM, TEN_METRES, 400, 301))
    assert not same_grid(NORTH_UP, Grid(CRS.from_epsg(32632).to_wkt(), TEN_METRES, 400, 300))
    assert same_grid(NORTH_UP, Grid(None, Affine.identity(), 400, 300))
    assert np.isfinite(displacement_px(NORTH_UP, 10, 1)).all()


def test_a_scene_that_lies_nowhere_lies_on_one_of_its_size() -> None:
    nowhere = Grid(None, Affine.identity(), 400, 300)
    assert placed(nowhere, NORTH_UP) == NORTH_UP
    assert placed(NORTH_UP, nowhere) == nowhere
    assert placed(Grid(None, Affine.identity(), 300, 400), NORTH_UP) is None


UTM31, UTM32, LONLAT = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632, 4326))
GRID = Grid(UTM31, TEN_METRES, 60, 80)
OTHERS = [
    Grid(UTM32, Affine(20, 0, 0, 0, -20, 4_520_000), 90, 90),
    Grid(LONLAT, Affine(1e-4, 0, 3.0, 0, -1e-4, 40.65), 80, 120),
]


@pytest.mark.parametrize("other", OTHERS, ids=["utm", "degrees"])
@given(st.floats(0, 80), st.floats(0, 60))
def test_positions_there_and_back_are_the_same(other: Grid, col: float, row: float) -> None:
    there = warp.positions(GRID, other, np.array([[col, row]]))
    assert warp.positions(other, GRID, there)[0] == pytest.approx([col, row], abs=1e-5)


@given(st.integers(0, 50), st.integers(0, 70), st.integers(1, 30), st.integers(1, 30))
def test_the_needed_window_of_the_same_grid_is_the_window_and_a_margin(
    row: int, col: int, height: int, width: int
) -> None:
    window = Window(row, col, min(height, 60 - row), min(width, 80 - col))
    found = warp.needed_window(GRID, GRID.crop(window))
    expected = window.buffered(warp.MARGIN_PX, GRID.height, GRID.width)
    # A corner that is rounded outwards may add one pixel.
    assert found is not None
    assert abs(found.row - expected.row) <= 1
    assert abs(found.col_stop - expected.col_stop) <= 1


def test_grids_apart_need_and_cover_nothing() -> None:
    far = GRID.shifted(1000, 0)
    assert warp.needed_window(GRID, far) is None
    assert warp.covered_share(GRID, far) == 0


@given(st.floats(0, 1))
def test_a_shifted_grid_covers_what_the_shift_leaves(part: float) -> None:
    assert warp.covered_share(GRID, GRID.shifted(60 * part, 0)) == pytest.approx(1 - part, abs=1e-6)


def test_only_a_coarser_target_averages() -> None:
    coarse = Grid(UTM31, TEN_METRES @ Affine.scale(4), 15, 20)
    assert warp.reduction(GRID, coarse) == pytest.approx((0.25, 0.25))
    assert warp.reduction(coarse, GRID) == (1.0, 1.0)
    assert warp.reduction(GRID, GRID) == (1.0, 1.0)


def test_resampling_to_whole_pixels_away_moves_the_numbers() -> None:
    values = np.random.default_rng(0).random((2, 60, 80), dtype=np.float32)
    moved = warp.resample(values, GRID, GRID.shifted(2, 3), (1.0, 1.0))
    assert np.allclose(moved[:, :58, :77], values[:, 2:, 3:], atol=1e-6)
    assert np.isnan(moved[:, 58:]).all()


def test_longitudes_across_the_antimeridian_are_unwrapped() -> None:
    across = Grid(LONLAT, Affine(0.01, 0, 179.5, 0, -0.01, 10), 10, 100)
    unwrapped = warp.unwrapped_longitudes(across)
    middle = warp.positions(across, GRID, np.array([[50.0, 5.0]]))
    assert -180 <= unwrapped.transform.c < 0 < unwrapped.transform.a
    assert warp.positions(unwrapped, GRID, np.array([[50.0, 5.0]])) == pytest.approx(middle)
    assert warp.unwrapped_longitudes(GRID) is GRID


def test_a_field_has_no_displaced_grid() -> None:
    window = Window(3, 5, 10, 20)
    shifted = warp.displaced_grid(GRID, window, Shift(1.5, -2))
    assert shifted == GRID.crop(window).shifted(1.5, -2)
    constant = PolynomialDisplacement(1, ((1.5, -2.0), (0, 0), (0, 0)), 60, 80)
    affine = warp.displaced_grid(GRID, window, constant)
    assert affine is not None
    assert affine.transform.almost_equals(shifted.transform)
    field = PolynomialDisplacement(2, ((1.5, -2.0), *((0.0, 0.0),) * 5), 60, 80)
    assert warp.displaced_grid(GRID, window, field) is None


def test_the_extent_is_in_coordinates_of_the_grid() -> None:
    expected = "x 500000 to 500800, y 4499400 to 4500000 (WGS 84 / UTM zone 31N)"
    assert warp.extent(GRID) == expected
    assert warp.extent(Grid(None, Affine.identity(), 5, 9)).endswith("(no coordinate system)")


@pytest.mark.parametrize("factor", [1, 2, 6])
def test_classes_keep_their_numbers_in_finer_pixels(factor: int) -> None:
    classes = np.random.default_rng(0).integers(0, 200, (60, 80), dtype=np.uint8)
    fine = Grid(UTM31, TEN_METRES @ Affine.scale(1 / factor), 60 * factor, 80 * factor)
    found = warp.nearest(classes, GRID, fine, 255)
    np.testing.assert_array_equal(found, classes.repeat(factor, 0).repeat(factor, 1))
    np.testing.assert_array_equal(warp.nearest(found, fine, GRID, 255), classes)


def test_classes_end_with_their_grid() -> None:
    classes = np.ones((60, 80), np.uint8)
    found = warp.nearest(classes, GRID, GRID.shifted(10, -20), 255)
    assert (found[:50, 20:] == 1).all()
    assert (found[50:] == 255).all()
    assert (found[:, :20] == 255).all()


@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40))
def test_a_size_that_nests_has_a_grid_over_the_same_ground(k: int, rows: int, cols: int) -> None:
    scene = Grid(None, TEN_METRES, rows * k, cols * k)
    coarse = warp.grid_by_size(rows, cols, scene)
    assert coarse is not None
    assert coarse.transform @ (cols, rows) == pytest.approx(scene.transform @ (cols * k, rows * k))
    assert warp.grid_by_size(scene.height, scene.width, coarse) is not None


@pytest.mark.parametrize("size", [(60, 40), (30, 80), (43, 80), (59, 79), (61, 81), (1, 1)])
def test_a_size_that_does_not_nest_has_no_grid(size: tuple[int, int]) -> None:
    assert warp.grid_by_size(*size, GRID) is None
