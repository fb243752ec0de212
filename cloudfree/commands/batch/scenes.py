"""The scenes of a batch, in a folder or a list, each with its Sentinel-1 product."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from cloudfree.commands.radars import nearest_radar
from cloudfree.core.addresses import is_elsewhere, plain_name
from cloudfree.core.choices import SCL, MaskPath
from cloudfree.core.terminal import captured_warnings
from cloudfree.errors import CloudfreeError, InputError, one_line, parser_errors, reason_of
from cloudfree.raster.area import Area
from cloudfree.raster.reach import check_remote
from cloudfree.raster.stac_files import item_paths
from cloudfree.sentinel1.product import acquisition_of_name
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.product import output_beside
from cloudfree.sentinel2.products_below import (
    paths_below,
    products_below,
    scenes_of_any_name_below,
)


@dataclass(frozen=True)
class ScenePair:
    """A Sentinel-2 scene, its Sentinel-1 scene and its mask; None if there is none.

    `name` is unique in a batch: results are named by it.
    """

    name: str
    s2: Path
    s1: Path | None = None
    mask: MaskPath | None = None


_RASTER = re.compile(
    r"(?:(?P<name>.+)_)?(?P<kind>s1|s2|s2_cloudy)(?:_(?P<day>20\d{6}|20\d\d-\d\d-\d\d))?\.tiff?",
    re.IGNORECASE,
)


def scenes_below(folder: Path) -> list[ScenePair]:
    """The scenes of a folder and of those below it, in the order of their names.

    They are products, as folders or zip files, or rasters: `NAME_s2.tif` or `NAME_s2_cloudy.tif`
    with `NAME_s1.tif`, and `s2_YYYYMMDD.tif` with `s1_YYYYMMDD.tif`, whose name is the day. Without
    both they are named by their folder. In a folder without any of them all rasters that are not
    radar, masks or results by their names are scenes.
    """
    pairs = [ScenePair(name, path) for name, path in products_below(folder).items()]
    pairs += _raster_pairs(folder)
    return sorted(pairs or _any_scenes(folder), key=lambda pair: pair.name)


def _any_scenes(folder: Path) -> list[ScenePair]:
    """The scenes of a folder that somebody named, or a service from which they were downloaded."""
    return [ScenePair(_name_below(path, folder), path) for path in scenes_of_any_name_below(folder)]


def _name_below(path: Path, folder: Path) -> str:
    """The names of the folders below one, and of a file in the last of them, without its type."""
    inner = path.relative_to(folder)
    return "_".join([*inner.parts[:-1], inner.stem]) or folder.resolve().name


def _raster_pairs(folder: Path) -> list[ScenePair]:
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(paths_below(folder)):
        if match := _RASTER.fullmatch(path.name):
            parts = [*path.parent.relative_to(folder).parts, match["name"], match["day"]]
            name = "_".join(part for part in parts if part) or folder.resolve().name
            found.setdefault(name, {})[match["kind"].lower()] = path
    scenes = {name: kinds.get("s2") or kinds.get("s2_cloudy") for name, kinds in found.items()}
    return [ScenePair(name, s2, found[name].get("s1")) for name, s2 in scenes.items() if s2]


def scenes_of_items(collection: Path) -> list[ScenePair]:
    """The Sentinel-2 items of a collection in a file, named by their IDs."""
    paths = item_paths(collection, "sentinel-2")
    return [ScenePair(output_beside(path, "").name.rstrip("_"), path) for path in paths]


_COLUMNS = ("s2", "s1", "mask", "name")


def read_scene_list(path: Path) -> list[ScenePair]:
    """The scenes of a CSV file with the columns s2 and, as far as needed, s1, mask and name.

    Paths are relative to the file's folder; the mask `scl` is that of the product. A scene without
    a name is called as its file, and one that is called s2 as its folder.

    Raises
    ------
    InputError
        The file is not such a list, a scene has no s2, or lies in a network, where it may not.
    """

    def as_error(error: Exception) -> InputError:
        return _no_list(path, f"is no table ({reason_of(error)})")

    with parser_errors(as_error), path.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.DictReader(lines, skipinitialspace=True)
        columns, rows = table.fieldnames or (), list(table)
    if "s2" not in columns:
        raise _no_list(path, "has no column s2")
    if unknown := [name for name in columns if name not in _COLUMNS]:
        raise _no_list(path, f"has a column {unknown[0]!r}")
    return [_pair(path, line, row) for line, row in enumerate(rows, start=2)]


def _pair(path: Path, line: int, row: Mapping[str, str | None]) -> ScenePair:
    if None in row:
        raise _no_list(path, f"has more fields than columns in line {line}")
    for column, text in row.items():
        if text and not one_line(text) == text:
            raise _no_list(path, f"has {text[:40]!r} as {column} in line {line}")

    def there(column: str) -> Path | None:
        text = (row.get(column) or "").strip()
        if is_elsewhere(Path(text)):
            check_remote(text, path)
            return Path(text)
        return path.parent / text if text else None

    s2 = there("s2")
    if s2 is None:
        raise _no_list(path, f"names no s2 in line {line}")
    name = (row.get("name") or "").strip() or _name_of(s2)
    own = (row.get("mask") or "").strip() == SCL
    return ScenePair(name, s2, there("s1"), SCL if own else there("mask"))


def _name_of(s2: Path) -> str:
    """The name of a file, and of one that is called s2 that of its folder."""
    stem = Path(plain_name(s2)).stem
    return s2.parent.name if stem == "s2" else stem


def _no_list(path: Path, found: str) -> InputError:
    return InputError(
        f"{path} {found}",
        wanted=f"a CSV file with the columns s2 and, as far as needed, {', '.join(_COLUMNS[1:])}",
        hint="correct it, or give a folder",
    )


def with_radar(
    pair: ScenePair, radars: Sequence[Path], max_gap_days: float, area: Area | None = None
) -> ScenePair:
    """The scene with one of the products, if it has no radar of its own; `area` is to be covered.

    A scene that cannot be opened has none; its error is reported when it is processed.
    """
    if pair.s1 or not radars:
        return pair
    try:
        with captured_warnings(), OpticalScene(pair.s2, area=area) as scene:
            gaps = {path: _gap(scene, path) for path in radars}
            return replace(pair, s1=nearest_radar(gaps, scene.grid, timedelta(days=max_gap_days)))
    except CloudfreeError:
        return pair


def _gap(scene: OpticalScene, radar: Path) -> timedelta:
    """Time between the two by the name of the product, 0 if it has none."""
    named = acquisition_of_name(radar.name)
    return (named and named.gap(scene.acquisition)) or timedelta(0)
