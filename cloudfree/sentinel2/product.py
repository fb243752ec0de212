"""Sentinel-2 products, their naming convention, and output names derived from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Literal

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.addresses import is_url, plain_name
from cloudfree.sentinel2.offset import OffsetEvidence, baseline_evidence

Level = Literal["L1C", "L2A"]

# S2A_MSIL1C_20221005T115411_N0400_R023_T29UNU_20221005T164454; BigEarthNet leaves out what follows
# the time, and the first digit of hours before ten. Source: S2 naming convention since 2016.
_PRODUCT = re.compile(
    r"(?P<platform>S2[A-D])_MSI(?P<level>L1C|L2A)_(?P<day>\d{8})T(?P<clock>\d{5,6})"
    r"(?:_(?P<baseline>N\d{4}))?(?:_R(?P<orbit>\d{3}))?(?:_T\d{2}[A-Z]{3}(?:_\d{8}T\d{6})?)?"
)

# tiles/19/U/DP/2017/7/29/0: a tile in the public buckets.
_BUCKET = re.compile(
    r"/(?P<zone>\d{1,2})/(?P<latitude>[A-Z])/(?P<square>[A-Z]{2})"
    r"/(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<number>\d+)$"
)

# Suffixes of files and folders that are no part of a product's name.
_SUFFIXES = (".safe", ".zip", ".json", ".geojson", ".xml")


@dataclass(frozen=True)
class BandFile:
    """File of one band: the name that GDAL opens, and the band's index in it, from 1."""

    band: str
    path: str
    index: int = 1


@dataclass(frozen=True)
class OpticalProduct:
    """The bands and metadata of a product; None if unknown.

    Either `bands` are files of their own, or `raster` is what GDAL opens with all bands. `kind`
    describes the format; `quantification` is the number of a reflectance of 1; `nodata` and
    `saturated` are special values; `scl` is what GDAL opens with the scene classification.
    """

    kind: str
    name: str
    bands: tuple[BandFile, ...] = ()
    raster: str | None = None
    level: Level | None = None
    baseline: str | None = None
    quantification: float | None = None
    nodata: float | None = None
    saturated: float | None = None
    scl: str | None = None
    sun_azimuth_deg: float | None = None
    acquisition: Acquisition = UNKNOWN
    evidence: tuple[OffsetEvidence, ...] = ()


@dataclass(frozen=True)
class ProductName:
    """The parts of a product's name; None if the name is shortened."""

    text: str
    level: Level
    baseline: str | None
    acquisition: Acquisition

    @property
    def evidence(self) -> tuple[OffsetEvidence, ...]:
        """Evidence of the offset by the baseline in the name."""
        if self.baseline is None:
            return ()
        return (baseline_evidence("name", self.baseline, f"product {self.text}"),)


def product_name(texts: Iterable[str]) -> ProductName | None:
    """The first product name in one of the texts, the one with a baseline if there is one."""
    found = [_named(match) for text in texts if (match := _PRODUCT.search(text))]
    return next((name for name in found if name.baseline), found[0] if found else None)


def name_of_path(path: PurePath) -> ProductName | None:
    """The product that a file, or a folder above it, is named after."""
    return product_name([path.name, *(folder.name for folder in path.parents)])


def bucket_tile(folder: Path) -> str | None:
    """Tile, day and number of a folder in the layout of the public buckets: T19UDP_20170729_0."""
    match = _BUCKET.search(folder.absolute().as_posix())
    if match is None:
        return None
    day = f"{match['year']}{int(match['month']):02d}{int(match['day']):02d}"
    tile = f"{int(match['zone']):02d}{match['latitude']}{match['square']}"
    return f"T{tile}_{day}_{match['number']}"


def level_of_bands(bands: frozenset[str], product_bands: int = 12) -> Level | None:
    """The level by the set of bands: only L1C has the cirrus band."""
    if "B10" in bands:
        return "L1C"
    return "L2A" if len(bands) == product_bands else None


def output_beside(path: Path, ending: str) -> Path:
    """An output next to an input and named after it: `/data/X.SAFE` gives `/data/X_mask.tif`.

    Outputs of files inside a SAFE folder are named after the product and placed next to it, never
    into it; so are those of a GDAL sub-dataset.
    """
    plain = file_of(path)
    for folder in (plain, *plain.parents):
        if folder.name.lower().endswith((".safe", ".zip")):
            # X.SAFE in X.zip: only the archive is a file.
            archive = [p for p in folder.parents if p.name.lower().endswith(".zip")]
            return _output_path(archive[-1] if archive else folder, ending)
    return _output_path(plain, ending)


def _named(match: re.Match[str]) -> ProductName:
    acquired = datetime.strptime(match["day"] + match["clock"].zfill(6), "%Y%m%d%H%M%S")
    acquisition = Acquisition(
        product=match[0],
        platform=f"Sentinel-{match['platform'][1:]}",
        acquired=acquired.replace(tzinfo=UTC),
        relative_orbit=int(match["orbit"]) if match["orbit"] else None,
    )
    level: Level = "L1C" if match["level"] == "L1C" else "L2A"
    return ProductName(match[0], level, match["baseline"], acquisition)


def _output_path(path: Path, ending: str) -> Path:
    if tile := bucket_tile(path):
        return path.with_name(f"{tile}_{ending}")
    if is_url(path):  # a result lies on this machine
        return Path(f"{_stem(path)}_{ending}")
    whole = path if path.name not in ("", "..") else path.resolve()
    return whole.with_name(f"{_stem(whole)}_{ending}")


def file_of(path: Path) -> Path:
    """The file in `SENTINEL2_L1C:FILE:10m:EPSG_32631`; other paths unchanged."""
    match = re.fullmatch(r"SENTINEL2_L\w+:(?P<file>.+):\w+:EPSG_\d+", str(path))
    if match is None:
        return path
    file = match["file"]
    if file.startswith("/vsizip/"):
        # A Path merges the double slash of /vsizip//.
        file = "/" + file.removeprefix("/vsizip/").strip("/{").replace("}", "")
    return Path(file)


def _stem(path: Path) -> str:
    """The name without the endings of products; of a file also without that of its format."""
    name = plain_name(path)
    stripped = name
    while stripped.lower().endswith(_SUFFIXES):
        stripped = stripped.rpartition(".")[0]
    if stripped != name or path.is_dir():
        return stripped
    return Path(name).stem if name == path.name or is_url(path) else name
