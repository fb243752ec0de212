"""The outline of a grid in degrees, as GeoJSON has it.

Source: RFC 7946: longitude first, rings counter-clockwise (3.1.6), cut at the antimeridian (3.1.9),
whose bounding box then has its west above its east (5.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely.geometry import mapping
from shapely.geometry.polygon import orient

from cloudfree.core.grid import Grid

Float64 = NDArray[np.float64]

# Straight edges of a projection are bent in degrees: each is drawn by as many pieces.
_PIECES = 8
# Seven digits of a degree are a centimetre.
_DIGITS = 7

_HALF_CIRCLE_DEG, _FULL_CIRCLE_DEG = 180.0, 360.0
_WEST = shapely.box(-180, -90, 180, 90)
_EAST = shapely.box(180, -90, 540, 90)


@dataclass(frozen=True)
class GeographicFootprint:
    """A GeoJSON geometry, and its west, south, east and north in degrees."""

    geometry: dict[str, Any]
    bounds: tuple[float, float, float, float]


def geographic_footprint(grid: Grid) -> GeographicFootprint | None:
    """The outline of a grid on WGS 84; None if it has no coordinate system."""
    if grid.crs is None:
        return None
    outline = shapely.Polygon(_unwrapped(_ring(grid, grid.crs)))
    west, south, east, north = (round(edge, _DIGITS) for edge in outline.bounds)
    if east > _HALF_CIRCLE_DEG:
        east -= _FULL_CIRCLE_DEG
    return GeographicFootprint(_geometry(outline), (west, south, east, north))


def _ring(grid: Grid, crs: str) -> Float64:
    """Longitudes and latitudes along the edges of a grid, (n, 2)."""
    steps = np.linspace(0, 1, _PIECES, endpoint=False)
    forth, back, zero, one = steps, 1 - steps, np.zeros(_PIECES), np.ones(_PIECES)
    col = np.concatenate([zero, forth, one, back]) * grid.width
    row = np.concatenate([forth, one, back, zero]) * grid.height
    a, b, c, d, e, f = list(grid.transform)[:6]
    x, y = a * col + b * row + c, d * col + e * row + f
    to_degrees = Transformer.from_crs(CRS.from_wkt(crs), CRS.from_epsg(4326), always_xy=True)
    return np.stack(to_degrees.transform(x, y), axis=1)


def _unwrapped(ring: Float64) -> Float64:
    """The ring without the jump at the antimeridian: longitudes may go beyond 180."""
    if np.ptp(ring[:, 0]) > _HALF_CIRCLE_DEG:
        ring[:, 0] %= _FULL_CIRCLE_DEG
    return ring


def _geometry(outline: shapely.Polygon) -> dict[str, Any]:
    """One polygon, or two where the antimeridian cuts it."""
    beyond = outline.intersection(_EAST)
    if not beyond.area:
        return _geojson(outline)
    moved = shapely.transform(beyond, lambda points: points - (_FULL_CIRCLE_DEG, 0))
    return _geojson(shapely.MultiPolygon([orient(outline.intersection(_WEST)), orient(moved)]))


def _geojson(shape: shapely.Polygon | shapely.MultiPolygon) -> dict[str, Any]:
    ordered = orient(shape) if isinstance(shape, shapely.Polygon) else shape
    found: dict[str, Any] = mapping(
        shapely.transform(ordered, lambda points: np.round(points, _DIGITS))
    )
    return found
