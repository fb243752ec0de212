"""Areas in degrees, by the pixels of the scenes made here."""

from __future__ import annotations

import json
from pathlib import Path

from pyproj import Transformer

from cloudfree.core.grid import Window
from tests.factories.rasters import TEN_METRES, UTM31

_DEGREES = Transformer.from_crs(UTM31, "EPSG:4326", always_xy=True)
# Part of a pixel by which corners lie inside of it.
_INSIDE = 0.3


def ring_around(part: Window) -> list[tuple[float, float]]:
    """Longitudes and latitudes around a window, whose pixels it needs all."""
    left, right = part.col + _INSIDE, part.col_stop - _INSIDE
    top, bottom = part.row + _INSIDE, part.row_stop - _INSIDE
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return [_DEGREES.transform(*(TEN_METRES @ corner)) for corner in corners]


def bounds_of(part: Window) -> tuple[float, float, float, float]:
    """West, south, east and north of a window near the middle of its zone."""
    longitudes, latitudes = zip(*ring_around(part), strict=True)
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def write_area(path: Path, *parts: Window) -> Path:
    """Write a GeoJSON file with a polygon around each window."""
    geometries = [{"type": "Polygon", "coordinates": [ring_around(part)]} for part in parts]
    features = [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path
