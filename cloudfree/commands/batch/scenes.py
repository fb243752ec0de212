"""The scenes of a batch, in a folder or a list, each with its Sentinel-1 product."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from cloudfree.core.choices import SCL, MaskPath
from cloudfree.core.terminal import captured_warnings
from cloudfree.errors import CloudfreeError, InputError
from cloudfree.sentinel1.product import acquisition_of_name
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.product import output_beside


@dataclass(frozen=True)
class ScenePair:
    """A Sentinel-2 scene, its Sentinel-1 scene and its mask; None if there is none.

    `name` is unique in a batch: results are named by it.
    """

    name: str
    s2: Path
    s1: Path | None = None
    mask: MaskPath | None = None


# Names of products, S2 PSD-14.9 and S1-RS-MDA-52-7441, as folders or zip files.
_PACKED = r".*?(?:\.SAFE(?:\.zip)?|\.zip)"
_S2_PRODUCT = re.compile(rf"S2[A-D]_(?:OPER_PRD_)?MSIL(?:1C|2A)_{_PACKED}", re.IGNORECASE)
_S1_PRODUCT = re.compile(rf"S1[A-D]_[A-Z0-9]{{2}}_GRD{_PACKED}", re.IGNORECASE)
_RASTER = re.compile(r"(?:(?P<name>.+)_)?(?P<kind>s1|s2|s2_cloudy)\.tiff?", re.IGNORECASE)


def scenes_below(folder: Path) -> list[ScenePair]:
    """The scenes of a folder and of those below it, in the order of their names.

    They are products, as folders or zip files, or rasters: `NAME_s2.tif` or `NAME_s2_cloudy.tif`
    with `NAME_s1.tif`; without `NAME_` they are named by their folder.
    """
    products = _products(folder, _S2_PRODUCT)
    pairs = [ScenePair(name, path) for name, path in products.items()]
    return sorted([*pairs, *_raster_pairs(folder)], key=lambda pair: pair.name)


def radars_below(folder: Path) -> list[Path]:
    """The GRD products of Sentinel-1 in a folder and in those below it."""
    return list(_products(folder, _S1_PRODUCT).values())


def _paths(folder: Path) -> Iterator[Path]:
    """Files, and folders that are products, which are not searched."""
    for place, folders, files in os.walk(folder):
        products = [name for name in folders if name.upper().endswith(".SAFE")]
        folders[:] = [name for name in folders if name not in products and name[0] != "."]
        yield from (Path(place, name) for name in (*products, *files))


def _products(folder: Path, named: re.Pattern[str]) -> dict[str, Path]:
    """Products by name; of one that is both folder and zip file the folder, which reads faster."""
    paths = [path for path in _paths(folder) if named.fullmatch(path.name)]
    found: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (path.is_file(), path)):
        found.setdefault(output_beside(path, "").name.rstrip("_"), path)
    return found


def _raster_pairs(folder: Path) -> Iterable[ScenePair]:
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(_paths(folder)):
        if match := _RASTER.fullmatch(path.name):
            parts = [*path.parent.relative_to(folder).parts, match["name"]]
            name = "_".join(part for part in parts if part) or folder.resolve().name
            found.setdefault(name, {})[match["kind"].lower()] = path
    scenes = {name: kinds.get("s2") or kinds.get("s2_cloudy") for name, kinds in found.items()}
    return [ScenePair(name, s2, found[name].get("s1")) for name, s2 in scenes.items() if s2]


_COLUMNS = ("s2", "s1", "mask", "name")


def read_scene_list(path: Path) -> list[ScenePair]:
    """The scenes of a CSV file with the columns s2 and, as far as needed, s1, mask and name.

    Paths are relative to the file's folder; the mask `scl` is that of the product. A scene without
    a name is called as its file, and one that is called s2 as its folder.

    Raises
    ------
    InputError
        The file is not such a list, or a scene has no s2.
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
    own = (row.get("mask") or "").strip() == SCL
    return ScenePair(name, s2, there("s1"), SCL if own else there("mask"))


def _no_list(path: Path, found: str) -> InputError:
    return InputError(
        f"{path} {found}",
        wanted=f"a CSV file with the columns s2 and, as far as needed, {', '.join(_COLUMNS[1:])}",
        hint="correct it, or give a folder",
    )


# Fraction of a scene from which a product counts as covering it, as its edge is not straight.
COVERING = 0.99


def with_radar(pair: ScenePair, radars: Sequence[Path], max_gap_days: float) -> ScenePair:
    """The scene with one of the products, if it has no radar of its own.

    It is the nearest in time, at most `max_gap_days` away, that covers the scene, or else the one
    that covers most. A scene or product that cannot be opened has none; its error is reported when
    it is processed.
    """
    if pair.s1 or not radars:
        return pair
    try:
        with captured_warnings(), OpticalScene(pair.s2) as scene:
            return replace(pair, s1=_nearest(scene, radars, timedelta(days=max_gap_days)))
    except CloudfreeError:
        return pair


def _nearest(scene: OpticalScene, radars: Iterable[Path], most: timedelta) -> Path | None:
    gaps = {path: _gap(scene, path) for path in radars}
    best, best_share = None, 0.0
    for path in sorted((path for path in gaps if gaps[path] <= most), key=gaps.__getitem__):
        share = _share(scene, path)
        if share > best_share:
            best, best_share = path, share
        if best_share >= COVERING:
            break
    return best


def _gap(scene: OpticalScene, radar: Path) -> timedelta:
    """Time between the two by the name of the product, 0 if it has none."""
    named = acquisition_of_name(radar.name)
    return (named and named.gap(scene.acquisition)) or timedelta(0)


def _share(scene: OpticalScene, path: Path) -> float:
    """Fraction of the scene that a product covers; 0 if it cannot be opened."""
    try:
        with open_sar_source(path) as radar:
            return radar.overlap(scene.grid)
    except CloudfreeError:
        return 0.0
