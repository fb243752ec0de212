"""The bands of a raster as a STAC item describes them.

Source: STAC 1.1.0, common metadata, with the extensions eo v2.0.0, raster v2.0.0 and classification
v2.0.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rasterio.io import DatasetReader

from cloudfree.core.bands import find_optical_bands, optical_band
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import CLASS_TAG
from cloudfree.core.spectral_bands import SPECTRAL_BANDS
from cloudfree.raster.warp import grid_of, pixel_size_m

# Names of the statistics in GDAL's tags, and in the common metadata of STAC.
_STATISTICS = {
    "STATISTICS_MINIMUM": "minimum",
    "STATISTICS_MAXIMUM": "maximum",
    "STATISTICS_MEAN": "mean",
    "STATISTICS_STDDEV": "stddev",
    "STATISTICS_VALID_PERCENT": "valid_percent",
}


def stac_bands(dataset: DatasetReader) -> Iterator[dict[str, Any]]:
    """The bands of an open raster, in its order."""
    names = _optical_names(dataset)
    gsd_m = pixel_gsd_m(grid_of(dataset))
    for at, index in enumerate(dataset.indexes):
        tags, band = dataset.tags(index), names.get(at)
        known = {
            "name": band or dataset.descriptions[at] or f"band {index}",
            "data_type": dataset.dtypes[at],
            "nodata": _number(dataset.nodatavals[at]),
            "unit": dataset.units[at] or None,
            "statistics": _statistics(tags),
            "raster:spatial_resolution": gsd_m,
            "raster:scale": dataset.scales[at] if dataset.scales[at] != 1 else None,
            "raster:offset": dataset.offsets[at] if dataset.offsets[at] else None,
            "classification:classes": _classes(dataset),
            **(_spectrum(band) if band else {}),
        }
        yield {name: value for name, value in known.items() if value is not None}


def _optical_names(dataset: DatasetReader) -> dict[int, str]:
    """The optical bands of a raster by their places; none in one of classes or scores."""
    if not any(optical_band(text) for text in dataset.descriptions):
        return {}
    return {at: band for band, at in find_optical_bands(dataset.descriptions).items()}


def _spectrum(band: str) -> dict[str, Any]:
    known = SPECTRAL_BANDS[band]
    return {
        "eo:common_name": known.common_name,
        "eo:center_wavelength": known.centre_um,
        "eo:full_width_half_max": known.width_um,
    }


def _number(value: float | None) -> float | int | str | None:
    """A number as JSON has it; `nan` and `inf` are words."""
    if value is None:
        return None
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return int(value) if float(value).is_integer() else float(value)


def _statistics(tags: Mapping[str, str]) -> dict[str, float] | None:
    found = {name: float(tags[tag]) for tag, name in _STATISTICS.items() if tag in tags}
    return found or None


def _classes(dataset: DatasetReader) -> list[dict[str, Any]] | None:
    """The classes that the tags of a raster name, with the colours that it shows them in."""
    labels = {
        int(tag.removeprefix(CLASS_TAG)): text
        for tag, text in dataset.tags().items()
        if tag.startswith(CLASS_TAG)
    }
    if not labels:
        return None
    colours = dataset.colormap(1)
    return [
        {
            "value": value,
            "name": re.sub("[^0-9a-z]+", "-", labels[value]),
            "description": labels[value],
            "color_hint": "{:02X}{:02X}{:02X}".format(*colours[value]),
            **({"nodata": True} if value == dataset.nodata else {}),
        }
        for value in sorted(labels)
    ]


def pixel_gsd_m(grid: Grid) -> float | None:
    """The side of a pixel, to tenths of a metre, as the ground is; None if it is unknown."""
    return round(pixel_size_m(grid), 1) if grid.crs else None
