from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudfree.commands.area import area_of
from cloudfree.commands.options import AreaOptions
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import GeographicArea

RING = [[3.0, 40.5], [3.1, 40.5], [3.1, 40.6], [3.0, 40.5]]


def _write(folder: Path) -> Path:
    path = folder / "field.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [RING]}))
    return path


def test_without_an_option_the_whole_scene_is_read() -> None:
    assert area_of(AreaOptions()) is None


def test_bounds_and_files_become_an_area(tmp_path: Path) -> None:
    box = area_of(AreaOptions(bbox=(3.0, 40.5, 3.1, 40.6)))
    field = area_of(AreaOptions(aoi=_write(tmp_path)))
    assert isinstance(box, GeographicArea)
    assert isinstance(field, GeographicArea)
    assert (box.name, field.name) == ("--bbox 3,40.5,3.1,40.6", "--aoi field.geojson")


def test_both_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--bbox and --aoi; wanted one area; ") as error:
        area_of(AreaOptions(bbox=(3.0, 40.5, 3.1, 40.6), aoi=_write(tmp_path)))
    assert error.value.code is ErrorCode.BAD_OPTION
