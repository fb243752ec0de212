"""Scenes that a table names."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from cloudfree.commands.batch.scene_pair import ScenePair
from cloudfree.errors import InputError

_COLUMNS = ("s2", "s1", "mask", "name")


def read_scene_list(path: Path) -> list[ScenePair]:
    """The scenes of a CSV file with the columns s2 and, as far as needed, s1, mask and name.

    Paths are relative to the file's folder. A scene without a name is called as its file, and one
    that is called s2 as its folder.

    Raises
    ------
    InputError
        It is no such file, or a scene has no s2.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines, skipinitialspace=True)
            columns, rows = table.fieldnames or (), list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _no_list(path, f"is no table ({error})") from error
    if "s2" not in columns:
        raise _no_list(path, "has no column s2")
    if unknown := [name for name in columns if name not in _COLUMNS]:
        raise _no_list(path, f"has a column {unknown[0]!r}")
    return [_pair(path, line, row) for line, row in enumerate(rows, start=2)]


def _pair(path: Path, line: int, row: Mapping[str, str | None]) -> ScenePair:
    if None in row:
        raise _no_list(path, f"has more fields than columns in line {line}")

    def there(column: str) -> Path | None:
        text = (row.get(column) or "").strip()
        return path.parent / text if text else None

    s2 = there("s2")
    if s2 is None:
        raise _no_list(path, f"names no s2 in line {line}")
    name = (row.get("name") or "").strip() or (s2.parent.name if s2.stem == "s2" else s2.stem)
    return ScenePair(name, s2, there("s1"), there("mask"))


def _no_list(path: Path, found: str) -> InputError:
    return InputError(
        f"{path} {found}",
        wanted=f"a CSV file with the columns s2 and, as far as needed, {', '.join(_COLUMNS[1:])}",
        hint="correct it, or give a folder",
    )
