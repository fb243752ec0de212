"""A folder with one file per band: the layout of the public buckets, BigEarthNet, exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudfree.core.bands import optical_band
from cloudfree.errors import ErrorCode, InputError
from cloudfree.sentinel2.metadata import sun_azimuth_deg
from cloudfree.sentinel2.product import (
    BandFile,
    OpticalProduct,
    ProductName,
    bucket_tile,
    name_of_path,
    product_name,
)

# B01.jp2, or a name that ends with the band and perhaps its resolution: NAME_B01.tif,
# NAME_B02_10m.jp2. L2A in the buckets lies in folders R10m, R20m and R60m.
_BAND_FILE = re.compile(
    r"^(?:.*[_-])?(?P<band>B(?:0?[1-9]|1[0-2]|8A))(?:_(?P<resolution>\d\d)m)?\.(?:jp2|tiff?)$",
    re.IGNORECASE,
)
RESOLUTION_FOLDERS = ("R10m", "R20m", "R60m")

# SCL.jp2, NAME_SCL.tif, NAME_SCL_20m.jp2: the scene classification of L2A.
_SCL_FILE = re.compile(r"^(?:.*[_-])?SCL(?:_\d\dm)?\.(?:jp2|tiff?)$", re.IGNORECASE)

# Metadata of a tile in the buckets: the same elements as MTD_TL.xml, and the product's name.
_TILE_XML, _TILE_JSON = "metadata.xml", ("tileInfo.json", "productInfo.json")


def band_of_file(path: Path) -> str | None:
    """The band in the name of a file, None if it has none."""
    match = _BAND_FILE.match(path.name)
    return optical_band(match["band"]) if match else None


def band_folder_product(folder: Path) -> OpticalProduct:
    """The scene whose bands lie in a folder, one file each.

    Raises
    ------
    InputError
        No band file, or two files of one band and the same resolution.
    """
    files = _finest(_candidates(folder))
    if not files:
        raise InputError(
            f"no Sentinel-2 bands in folder {folder}",
            wanted="a SAFE folder, or files named after their bands, such as B02.jp2",
            hint="give the folder that holds the product or its band files",
            code=ErrorCode.MISSING_BAND,
        )
    first = next(iter(files.values()))
    named = product_name(_metadata_names(folder)) or name_of_path((folder / first.name).absolute())
    product = OpticalProduct(
        kind="folder of band files",
        name=_name(folder, named),
        bands=tuple(BandFile(band, str(file)) for band, file in files.items()),
        scl=_scl(folder),
        sun_azimuth_deg=_sun_azimuth(folder),
    )
    if named is None:
        return product
    return replace(
        product,
        level=named.level,
        baseline=named.baseline,
        acquisition=named.acquisition,
        evidence=named.evidence,
    )


def _scl(folder: Path) -> str | None:
    """The finest scene classification of the folder."""
    found = [path for path in _candidates(folder) if _SCL_FILE.match(path.name)]
    return str(min(found, key=_resolution_m)) if found else None


def _name(folder: Path, named: ProductName | None) -> str:
    """The product's name, or the folder's if that is longer, as for a patch of a product."""
    full = folder.resolve().name
    if named is None or named.text in full:
        return bucket_tile(folder) or full.removesuffix(".SAFE")
    return named.text


def _candidates(folder: Path) -> list[Path]:
    below = [path for name in RESOLUTION_FOLDERS for path in sorted((folder / name).glob("*"))]
    return [*sorted(folder.iterdir()), *below]


def _finest(candidates: Iterable[Path]) -> dict[str, Path]:
    """Band -> its finest file."""
    found: dict[str, tuple[int, Path]] = {}
    for path in candidates:
        band = band_of_file(path)
        if band is None:
            continue
        resolution = _resolution_m(path)
        if band in found and found[band][0] == resolution:
            raise InputError(
                f"two files of band {band}: {found[band][1].name} and {path.name}",
                wanted="every band once",
                hint="put each scene into a folder of its own",
            )
        if band not in found or resolution < found[band][0]:
            found[band] = (resolution, path)
    return {band: path for band, (_, path) in found.items()}


def _resolution_m(path: Path) -> int:
    """The resolution by name or folder; 0 if neither has it."""
    match = re.search(r"_(\d\d)m\.", path.name) or re.fullmatch(r"R(\d\d)m", path.parent.name)
    return int(match[1]) if match else 0


def _metadata_names(folder: Path) -> list[str]:
    """Product names in the metadata files of the folder."""
    entries = [_entries(folder / name) for name in _TILE_JSON]
    return [str(entry[key]) for entry in entries for key in ("productName", "name") if key in entry]


def _entries(path: Path) -> dict[str, Any]:
    if not path.is_file():  # a pipe would not end
        return {}
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _sun_azimuth(folder: Path) -> float | None:
    path = folder / _TILE_XML
    return sun_azimuth_deg(path.read_bytes(), path.name) if path.is_file() else None
