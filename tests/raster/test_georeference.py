from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.raster.georeference import displacement_px, pixel_size_m, same_grid
from tests.factories.rasters import TEN_METRES

UTM = CRS.from_epsg(32631).to_wkt()
LONLAT = CRS.from_epsg(4326).to_wkt()
NORTH_UP = Grid(UTM, TEN_METRES, 400, 300)


@pytest.mark.parametrize(
    ("grid", "size"),
    [
        (NORTH_UP, 10.0),
        (Grid(None, Affine.identity(), 100, 100), 10.0),
        (Grid(UTM, Affine(160, 0, 500_000, 0, -160, 5_000_000), 50, 50), 160.0),
        # 1e-4 degrees at 60 degrees north: 11.1 m to the north, half of it to the east.
        (Grid(LONLAT, Affine(1e-4, 0, 10, 0, -1e-4, 60), 10, 10), 2 / (1 / 11.14 + 1 / 5.58)),
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
