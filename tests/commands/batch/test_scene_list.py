"""Scenes that a table names."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.batch.scene_list import read_scene_list
from cloudfree.commands.batch.scene_pair import ScenePair
from cloudfree.errors import InputError


def _list(folder: Path, text: str) -> Path:
    path = folder / "scenes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_list(tmp_path: Path) -> None:
    path = _list(tmp_path, "s2, s1, mask, name\nx/l1c.tif, /data/s1.tif, m.tif, May\n")
    (pair,) = read_scene_list(path)
    assert pair == ScenePair(
        "May", tmp_path / "x/l1c.tif", Path("/data/s1.tif"), tmp_path / "m.tif"
    )


def test_a_scene_is_called_as_its_file_or_its_folder(tmp_path: Path) -> None:
    rows = read_scene_list(_list(tmp_path, "name,s2,s1\n,x/s2.tif,\n ,y/l1c.tif,x/s1.tif\n"))
    assert [(row.name, row.s1) for row in rows] == [("x", None), ("l1c", tmp_path / "x/s1.tif")]


def test_the_mark_of_a_spreadsheet_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (pair,) = read_scene_list(_list(tmp_path, "\ufeffs2\na.tif\n"))
    assert pair.s2 == tmp_path / "a.tif"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "has no column s2"),
        ("S2,s1\na,b\n", "has no column s2"),
        ("s2,radar\na,b\n", "has a column 'radar'"),
        ("s2,s1\na,b\n,c\n", "names no s2 in line 3"),
        ("s2\na,b\n", "has more fields than columns in line 2"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InputError, match=f"scenes.csv {found}; wanted a CSV file with the columns"):
        read_scene_list(_list(tmp_path, text))


def test_a_raster_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "scene.tif"
    path.write_bytes(b"II*\x00\xff\xfe")
    with pytest.raises(InputError, match=r"scene\.tif is no table"):
        read_scene_list(path)
