"""Pixels of an optical grid are located in the image."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.sentinel1.geocoding import ImagePositions, lonlat
from cloudfree.sentinel1.geolocation import CoarseHeights, GridGeolocation
from tests.sentinel1.test_geolocation import _annotation, _grid_over


def test_positions_do_not_depend_on_the_window() -> None:
    annotation = _annotation((100.0, 0.2, 0.3))
    grid = _grid_over(900, 1200)
    positions = ImagePositions(
        GridGeolocation(annotation), CoarseHeights(annotation.tie_points), None
    )
    rows, cols = np.mgrid[:300, :300].astype(float)
    whole = positions.locate(grid, rows, cols)
    part = positions.locate(grid, rows[33:70, 120:221], cols[33:70, 120:221])
    for one, other in zip(whole, part, strict=True):
        assert np.abs(one[33:70, 120:221] - other).max() < 1e-3


def test_positions_far_from_the_image_are_nan() -> None:
    annotation = _annotation()
    positions = ImagePositions(
        GridGeolocation(annotation), CoarseHeights(annotation.tie_points), None
    )
    rows, cols = np.mgrid[:20, :20].astype(float)
    line, pixel = positions.locate(_grid_over(20_000, 1200), rows, cols)
    assert np.isnan(line).all()
    assert np.isnan(pixel).all()


def test_longitude_and_latitude_are_those_of_pixel_centres() -> None:
    grid = Grid(CRS.from_epsg(4326).to_wkt(), Affine(0.1, 0, 10, 0, -0.2, 50), 5, 5)
    longitude, latitude = lonlat(grid, np.array([0.0, 2.0]), np.array([0.0, 3.0]))
    assert longitude == pytest.approx([10.05, 10.35])
    assert latitude == pytest.approx([49.9, 49.5])
