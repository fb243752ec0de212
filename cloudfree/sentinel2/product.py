"""What a Sentinel-2 product is, whatever it is packed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.sentinel2.offset import OffsetEvidence

Level = Literal["L1C", "L2A"]


@dataclass(frozen=True)
class BandFile:
    """Where one band lies: the name that GDAL opens, and the band in that file, counted from 1."""

    band: str
    path: str
    index: int = 1


@dataclass(frozen=True)
class OpticalProduct:
    """The bands of a product and what its metadata tells; None where it does not.

    Either `bands` are files of their own, or `raster` is what GDAL opens to see all bands. `kind`
    says in words what was found; `quantification` is the number that stands for a reflectance
    of 1; `nodata` and `saturated` are numbers with a meaning of their own.
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
    sun_azimuth_deg: float | None = None
    acquisition: Acquisition = UNKNOWN
    evidence: tuple[OffsetEvidence, ...] = ()


def level_of_bands(bands: frozenset[str], product_bands: int = 12) -> Level | None:
    """The level that a set of bands betrays: the cirrus band is in L1C alone."""
    if "B10" in bands:
        return "L1C"
    return "L2A" if len(bands) == product_bands else None
