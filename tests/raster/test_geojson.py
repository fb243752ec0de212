"""The polygons of a GeoJSON file, wherever in it they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.geojson import read_area

RING = [[3.0, 40.5], [3.1, 40.5], [3.1, 40.6], [3.0, 40.5]]
FAR_RING = [[3.5, 40.5], [3.6, 40.5, 120.0], [3.6, 40.6], [3.5, 40.5]]
HOLE = [[3.05, 40.51], [3.06, 40.51], [3.06, 40.52], [3.05, 40.51]]
POLYGON = {"type": "Polygon", "coordinates": [RING, HOLE]}
POINT = {"type": "Point", "coordinates": [3, 40]}


def _feature(geometry: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {}, "geometry": geometry}


def _collection(*geometries: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": [_feature(one) for one in geometries]}


BOTH = {"type": "MultiPolygon", "coordinates": [[RING], [FAR_RING], []]}


def _write(folder: Path, content: Any) -> Path:
    path = folder / "field.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (POLYGON, 1),
        (_feature(POLYGON), 1),
        (BOTH, 2),
        (_collection(POLYGON, POINT, None, BOTH), 3),
        ({"type": "GeometryCollection", "geometries": [POINT, POLYGON]}, 1),
        ("\ufeff" + json.dumps(POLYGON), 1),
    ],
)
def test_polygons_are_found_without_holes_and_heights(
    tmp_path: Path, content: Any, count: int
) -> None:
    area = read_area(_write(tmp_path, content))
    assert area.name == "--aoi field.geojson"
    assert area.rings[0] == [tuple(position) for position in RING]
    assert [len(ring) for ring in area.rings] == [4] * count
    assert {len(position) for ring in area.rings for position in ring} == {2}


@pytest.mark.parametrize(
    "content", [POINT, _collection(), _collection(None), {"type": "Polygon", "coordinates": []}]
)
def test_a_file_without_a_polygon_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match=r"^no polygon in --aoi field\.geojson; ") as error:
        read_area(_write(tmp_path, content))
    assert error.value.code is ErrorCode.BAD_INPUT


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "7", '{"features": []}', "\x00\x01",
        {"type": "FeatureCollection"}, {"type": "Polygon"}, {"type": "Feature"},
        {"type": "FeatureCollection", "features": [3]},
        {"type": "Polygon", "coordinates": [RING[:3]]},
        {"type": "Polygon", "coordinates": [[["a", "b"]] * 4]},
        {"type": "Polygon", "coordinates": [[[3.0]] * 4]},
        {"type": "Polygon", "coordinates": [[3.0, 4.0, 5.0, 6.0]]},
    ],
)  # fmt: skip
def test_what_is_no_geojson_is_refused_in_one_line(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match=r"--aoi field\.geojson cannot be read as Geo") as error:
        read_area(_write(tmp_path, content))
    assert error.value.code is ErrorCode.UNREADABLE
    assert "\n" not in str(error.value)


def test_a_folder_is_no_geojson(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read as GeoJSON \(Is a directory\)"):
        read_area(tmp_path)


def test_metres_are_no_degrees(tmp_path: Path) -> None:
    ring = [[500_000, 4_500_000], [500_100, 4_500_000], [500_100, 4_500_100], [500_000, 4_500_000]]
    with pytest.raises(InputError, match=r"wanted longitudes .*EPSG:4326.*ogr2ogr -t_srs"):
        read_area(_write(tmp_path, {"type": "Polygon", "coordinates": [ring]}))


def test_polygons_on_both_sides_of_the_antimeridian_are_refused(tmp_path: Path) -> None:
    east = [[179, 10], [180, 10], [180, 11], [179, 10]]
    west = [[-180, 10], [-179, 10], [-180, 11], [-180, 10]]
    both = {"type": "MultiPolygon", "coordinates": [[east], [west]]}
    with pytest.raises(InputError, match=r"--aoi field\.geojson crosses the antimeridian"):
        read_area(_write(tmp_path, both))
