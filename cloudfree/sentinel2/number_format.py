"""Number formats of optical files: 8-bit pictures, reflectance, digital numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from cloudfree.core.radiometry import QUANTIFICATION, Radiometry, default_nodata
from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset, sample_windows

NumberFormat = Literal["picture", "reflectance", "digital numbers"]

# The median of the brightest band: saturated cloud has a reflectance of 2.8, open water without
# haze digital numbers of 300 in blue. Between lies reflectance in per cent.
MAX_REFLECTANCE, MIN_DIGITAL_NUMBERS = 3.0, 150.0

# An 8-bit picture has no reflectance: its white is assumed to be 1.
PICTURE_DTYPE, WHITE = "uint8", 255.0


def number_format(dataset: Dataset, bands: Sequence[int]) -> NumberFormat:
    """Number format of an open dataset, by its type; of floats by their magnitude.

    Raises
    ------
    InputError
        Complex numbers, or floats that are neither reflectance nor digital numbers.
    """
    dtype = np.dtype(dataset.handle.dtypes[0])
    if np.issubdtype(dtype, np.complexfloating):
        raise InputError(
            f"{dtype} numbers in {dataset.path.name}",
            wanted="digital numbers of Sentinel-2, or reflectance as floats",
            hint="give the product as it was published",
        )
    if dtype == PICTURE_DTYPE:
        return "picture"
    if np.issubdtype(dtype, np.integer):
        return "digital numbers"
    return _format_of_floats(_brightness(dataset, bands), dataset.path.name)


def picture_numbers(dataset: DatasetReader) -> Radiometry:
    """Radiometry of an 8-bit picture: 0 is black, 255 is white."""
    return Radiometry(dataset.dtypes[0], 1 / WHITE, 0.0, dataset.nodata)


def reflectance_numbers(dataset: DatasetReader, offset_dn: float) -> Radiometry:
    """Radiometry of floats, which may still contain the offset of their digital numbers."""
    return Radiometry(dataset.dtypes[0], 1.0, offset_dn / QUANTIFICATION, nodata_of(dataset))


def digital_numbers(
    dataset: DatasetReader, offset_dn: float, quantification: float | None
) -> Radiometry:
    """Radiometry of digital numbers: `(number + offset_dn) / quantification`."""
    unit = quantification or QUANTIFICATION
    return Radiometry(dataset.dtypes[0], 1 / unit, offset_dn / unit, nodata_of(dataset))


def nodata_of(dataset: DatasetReader) -> float:
    """Nodata of a file: declared, or else the default of its type."""
    declared: float | None = dataset.nodata
    return default_nodata(dataset.dtypes[0]) if declared is None else declared


def has_mask(dataset: DatasetReader) -> bool:
    """Whether a mask band marks missing pixels; the alpha band of a picture is none."""
    flags = dataset.mask_flag_enums[0]
    return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags


def _format_of_floats(brightness: float, name: str) -> NumberFormat:
    if brightness <= MAX_REFLECTANCE:
        return "reflectance"
    if brightness >= MIN_DIGITAL_NUMBERS:
        return "digital numbers"
    raise InputError(
        f"floats of median {brightness:.3g} in the brightest band of {name}, as of per cent",
        wanted="reflectance from 0 to 1, or digital numbers up to 10000",
        hint="divide per cent by 100, for example with `rio calc`",
    )


def _brightness(dataset: Dataset, bands: Sequence[int]) -> float:
    """Median of the brightest band in a sample; 0 if no pixel has data."""
    numbers = sample_windows(dataset, bands)
    raw = Radiometry(dataset.handle.dtypes[0], 1.0, 0.0, nodata_of(dataset.handle))
    valid = numbers[:, raw.valid(numbers)]
    return float(np.median(valid.astype(np.float64), axis=1).max()) if valid.size else 0.0
