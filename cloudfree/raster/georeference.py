"""Grids of datasets, and metres on the ground per pixel."""

from __future__ import annotations

import math

import numpy as np
from pyproj import CRS, Geod, Transformer
from rasterio.io import DatasetReader

from cloudfree.core.grid import Grid

WGS84 = Geod(ellps="WGS84")

# A scene without a coordinate system is assumed to have a 10 m Sentinel-2 grid, north up.
ASSUMED_PIXEL_M = 10.0

# Two transforms are the same grid when no corner lies more than this many pixels apart.
SAME_GRID_PX = 1e-3


def grid_of(dataset: DatasetReader) -> Grid:
    """The grid of an open dataset."""
    crs = dataset.crs.to_wkt() if dataset.crs else None
    return Grid(crs, dataset.transform, dataset.height, dataset.width)


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two grids match pixel by pixel; a missing coordinate system matches any."""
    if (one.height, one.width) != (other.height, other.width):
        return False
    if not (one.crs and other.crs):
        return True
    # Parsing takes longer than reading a tile.
    if one.crs != other.crs and CRS.from_wkt(one.crs) != CRS.from_wkt(other.crs):
        return False
    corners = [(0, 0), (one.width, 0), (0, one.height), (one.width, one.height)]
    apart = [np.subtract(~one.transform @ (other.transform @ corner), corner) for corner in corners]
    return bool(np.abs(apart).max() < SAME_GRID_PX)


def displacement_px(grid: Grid, azimuth_deg: float, distance_m: float) -> tuple[float, float]:
    """Displacement, in rows and columns, of `distance_m` towards `azimuth_deg` from the centre.

    The azimuth is counted clockwise from geographic north.
    """
    if grid.crs is None:
        angle = math.radians(azimuth_deg)
        pixels = distance_m / ASSUMED_PIXEL_M
        return -pixels * math.cos(angle), pixels * math.sin(angle)
    to_lonlat = Transformer.from_crs(CRS.from_wkt(grid.crs), "EPSG:4326", always_xy=True)
    centre = (grid.width / 2, grid.height / 2)
    lon, lat = to_lonlat.transform(*(grid.transform @ centre))
    there = WGS84.fwd(lon, lat, azimuth_deg, distance_m)[:2]
    col, row = ~grid.transform @ to_lonlat.transform(*there, direction="INVERSE")
    return row - centre[1], col - centre[0]


def pixel_size_m(grid: Grid) -> float:
    """Ground length of a pixel's side in metres: the mean of both sides at the scene's centre."""
    per_metre = [math.hypot(*displacement_px(grid, azimuth, 1.0)) for azimuth in (0.0, 90.0)]
    return 2.0 / sum(per_metre)
