"""Scenes and radar products that lie in a folder: from names alone, without opening any."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cloudfree.commands.batch.scene_pair import ScenePair
from cloudfree.sentinel2.output_name import output_beside

# Names of products, S2 PSD-14.9 and S1-RS-MDA-52-7441, in the packings they come in.
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
    """Files, and folders that are products, which are not looked into."""
    for place, folders, files in os.walk(folder):
        products = [name for name in folders if name.upper().endswith(".SAFE")]
        folders[:] = [name for name in folders if name not in products and name[0] != "."]
        yield from (Path(place, name) for name in (*products, *files))


def _products(folder: Path, named: re.Pattern[str]) -> dict[str, Path]:
    """Products by name; of one that lies there twice the folder, which is quicker to read."""
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
