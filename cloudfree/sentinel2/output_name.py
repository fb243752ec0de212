"""Where the output of an input goes if nobody says otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from cloudfree.sentinel2.product import bucket_tile

# Endings of files and folders that are no part of a product's name.
_ENDINGS = (".safe", ".zip", ".json", ".geojson", ".xml")


def output_beside(path: Path, ending: str) -> Path:
    """An output named after an input and beside it: `/data/X.SAFE` gives `/data/X_mask.tif`.

    What lies inside a SAFE folder is named after the product and goes beside it, never into it; a
    sub-dataset as GDAL names it does so too.
    """
    plain = _of_sub_dataset(path)
    for folder in (plain, *plain.parents):
        if folder.name.lower().endswith((".safe", ".zip")):
            # X.SAFE in X.zip: the archive is what lies on the disk.
            archive = [p for p in folder.parents if p.name.lower().endswith(".zip")]
            return _named(archive[-1] if archive else folder, ending)
    return _named(plain, ending)


def _of_sub_dataset(path: Path) -> Path:
    """The file in `SENTINEL2_L1C:FILE:10m:EPSG_32631`; other paths as they are."""
    match = re.fullmatch(r"SENTINEL2_L\w+:(?P<file>.+):\w+:EPSG_\d+", str(path))
    if match is None:
        return path
    file = match["file"]
    if file.startswith("/vsizip/"):
        # The slash that a Path swallows where it stands twice.
        file = "/" + file.removeprefix("/vsizip/").strip("/{").replace("}", "")
    return Path(file)


def _named(path: Path, ending: str) -> Path:
    if tile := bucket_tile(path):
        return path.with_name(f"{tile}_{ending}")
    whole = path if path.name not in ("", "..") else path.resolve()
    return whole.with_name(f"{_stem(whole)}_{ending}")


def _stem(path: Path) -> str:
    """The name without the endings of products; of a file also without that of its format."""
    name = path.name
    stripped = name
    while stripped.lower().endswith(_ENDINGS):
        stripped = stripped.rpartition(".")[0]
    if stripped != name or path.is_dir():
        return stripped
    return path.stem
