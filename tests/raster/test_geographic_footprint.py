"""Outlines of grids as GeoJSON has them."""

from __future__ import annotations

import pytest
import shapely
from affine import Affine
from pyproj import CRS
from shapely.geometry import shape

from cloudfree.core.grid import Grid
from cloudfree.raster.geographic_footprint import geographic_footprint


def _grid(epsg: int, west: float, north: float, pixel: float = 10, side: int = 1000) -> Grid:
    transform = Affine(pixel, 0, west, 0, -pixel, north)
    return Grid(CRS.from_epsg(epsg).to_wkt(), transform, side, side)


def test_a_grid_in_degrees_is_its_own_outline() -> None:
    found = geographic_footprint(_grid(4326, 10, 50, 0.001))
    assert found is not None
    assert found.bounds == (10, 49, 11, 50)
    assert shape(found.geometry).equals(shapely.box(10, 49, 11, 50))


def test_a_tile_is_as_large_as_it_is_on_the_ground() -> None:
    found = geographic_footprint(_grid(32631, 5e5, 5e6))
    assert found is not None
    metres = shapely.transform(
        shape(found.geometry), lambda p: p * (111_320 * 0.7061, 111_132)
    )  # a degree of longitude and latitude at 45.1 degrees north
    assert metres.area == pytest.approx(1e8, rel=5e-3)


def test_rings_run_counter_clockwise_whatever_the_rows() -> None:
    for grid in (_grid(32631, 5e5, 5e6), Grid(_grid(32631, 5e5, 5e6).crs,
                                             Affine(10, 0, 5e5, 0, 10, 5e6), 9, 9)):  # fmt: skip
        found = geographic_footprint(grid)
        assert found is not None
        ring = shapely.LinearRing(found.geometry["coordinates"][0])
        assert ring.is_ccw


def test_the_antimeridian_cuts_a_grid_in_two() -> None:
    found = geographic_footprint(_grid(32760, 810_000, 8e6, pixel=20, side=2000))
    assert found is not None
    assert found.geometry["type"] == "MultiPolygon"
    west, _, east, _ = found.bounds
    assert west > 179 > -179 > east
    parts = shape(found.geometry)
    assert parts.is_valid
    assert parts.bounds[0] == -180
    assert parts.bounds[2] == 180


def test_without_coordinates_there_is_no_outline() -> None:
    assert geographic_footprint(Grid(None, Affine.identity(), 5, 5)) is None
