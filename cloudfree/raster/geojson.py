"""Polygons of a GeoJSON file, which has longitudes and latitudes (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import (
    HALF_CIRCLE_DEG,
    GeographicArea,
    Ring,
    over_the_antimeridian,
)


def read_area(path: Path) -> GeographicArea:
    """The area of all polygons of a file: geometries, features or a collection of them.

    Raises
    ------
    InputError
        The file is no GeoJSON, has no polygon, one that is no area of the Earth, or some on both
        sides of the antimeridian.
    """
    name = f"--aoi {path.name}"
    try:
        text = path.read_text(encoding="utf-8-sig")
        rings = tuple(_rings(json.loads(text)))
    except OSError as error:
        raise _malformed(name, error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise _malformed(name, f"{type(error).__name__}: {error}") from error
    if not rings:
        raise InputError(
            f"no polygon in {name}",
            wanted="a Polygon or MultiPolygon in EPSG:4326",
            hint="draw the area as a polygon, or give its bounds with --bbox",
        )
    area = GeographicArea(name, rings)
    # RFC 7946, 3.1.9: what crosses the antimeridian is cut there, into polygons on both sides.
    if area.width_deg > HALF_CIRCLE_DEG:
        raise over_the_antimeridian(name)
    return area


# Corners of a ring, of which the last is the first again. Source: RFC 7946, 3.1.6.
_LEAST_POSITIONS = 4


def _rings(element: Any) -> Iterator[Ring]:
    """The exterior rings of all polygons in an object of GeoJSON; holes make no area larger."""
    kind = element["type"]
    if kind == "FeatureCollection":
        for feature in element["features"]:
            yield from _rings(feature)
    elif kind == "Feature":
        if element["geometry"] is not None:
            yield from _rings(element["geometry"])
    elif kind == "GeometryCollection":
        for geometry in element["geometries"]:
            yield from _rings(geometry)
    elif kind == "Polygon":
        yield from _exterior(element["coordinates"])
    elif kind == "MultiPolygon":
        for polygon in element["coordinates"]:
            yield from _exterior(polygon)


def _exterior(rings: list[list[list[float]]]) -> Iterator[Ring]:
    """The first ring of a polygon; none of an empty one."""
    if not rings:
        return
    ring = [(float(position[0]), float(position[1])) for position in rings[0]]
    if len(ring) < _LEAST_POSITIONS:
        raise ValueError(f"a ring of {len(ring)} positions")
    yield ring


def _malformed(name: str, why: str) -> InputError:
    return InputError(
        f"{name} cannot be read as GeoJSON ({why})",
        wanted="a Polygon, a Feature or a FeatureCollection as by RFC 7946",
        hint="write it anew, as with `ogr2ogr -f GeoJSON -lco RFC7946=YES`",
        code=ErrorCode.UNREADABLE,
    )
