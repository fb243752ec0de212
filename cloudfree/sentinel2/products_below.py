"""Sentinel-2 scenes in a folder and in those below it, by the names of their files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cloudfree.sentinel2.band_folder import RESOLUTION_FOLDERS, band_of_file
from cloudfree.sentinel2.product import output_beside
from cloudfree.sentinel2.safe import PRODUCT_METADATA, is_granule

# Names of products, S2 PSD-14.9, as folders or zip files.
PACKED = r".*?(?:\.SAFE(?:\.zip)?|\.zip)"
_S2_PRODUCT = re.compile(rf"S2[A-D]_(?:OPER_PRD_)?MSIL(?:1C|2A)_{PACKED}", re.IGNORECASE)


def products_below(folder: Path) -> dict[str, Path]:
    """The Sentinel-2 products of a folder and of those below it, by name."""
    return products_named(folder, _S2_PRODUCT)


def paths_below(folder: Path) -> Iterator[Path]:
    """Files, and folders that are products, which are not searched."""
    for place, folders, files in os.walk(folder):
        products = [name for name in folders if name.upper().endswith(".SAFE")]
        folders[:] = [name for name in folders if name not in products and name[0] != "."]
        yield from (Path(place, name) for name in (*products, *files))


def products_named(folder: Path, named: re.Pattern[str]) -> dict[str, Path]:
    """Products by name; of one that is both folder and zip file the folder, which reads faster."""
    paths = [path for path in paths_below(folder) if named.fullmatch(path.name)]
    found: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (path.is_file(), path)):
        found.setdefault(output_beside(path, "").name.rstrip("_"), path)
    return found


# Rasters beside scenes that are none: results of this program and what belongs to them, the truth
# of cloudy scenes, masks and classifications, and radar.
_NO_SCENE = re.compile(
    r"(?:.*_)?s1(?:vv|vh|_.*)?|(?:.*_)?s2_clear|truth_.*|.*cloudfree.*"
    r"|(?:.*_)?(?:filled|mask|scl|score|uncertainty|dem)",
    re.IGNORECASE,
)
_TRUTH_FOLDER = "truth"
_RASTERS = (".tif", ".tiff")


def scenes_of_any_name_below(folder: Path) -> list[Path]:
    """Products, folders of band files, and rasters that may be scenes, by their names.

    Results, masks, radar and what lies in a folder `truth` are left out; other rasters have to be
    opened to know.
    """
    products = set(products_below(folder).values())
    rasters = set[Path]()
    for path in paths_below(folder):
        below = path.relative_to(folder).parts[:-1]
        if path.is_dir() or _TRUTH_FOLDER in below:
            continue
        if band_of_file(path):
            rasters.add(_folder_of_bands(path))
        elif path.suffix.lower() in _RASTERS and not _NO_SCENE.fullmatch(path.stem):
            rasters.add(path)
    return sorted(products | rasters)


def _folder_of_bands(path: Path) -> Path:
    """The folder of a scene with one file per band, which L2A has in folders by resolution."""
    return path.parent.parent if path.parent.name in RESOLUTION_FOLDERS else path.parent


def is_product(folder: Path) -> bool:
    """Whether a folder is a product or one of its granules, whatever its name."""
    if folder.name.upper().endswith(".SAFE") or is_granule(folder):
        return True
    return any(PRODUCT_METADATA.match(path.name) for path in folder.iterdir())
