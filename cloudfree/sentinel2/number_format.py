"""Deciding what the numbers of an optical file mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from cloudfree.core.radiometry import QUANTIFICATION, Radiometry, default_nodata
from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset, sample_windows

# What numbers are: bytes for the eye, reflectance as it is, or reflectance in whole numbers.
NumberFormat = Literal["picture", "reflectance", "digital numbers"]

# The median of the brightest band: saturated cloud has a reflectance of 2.8, open water without
# haze digital numbers of 300 in blue. Between lies reflectance in per cent.
MAX_REFLECTANCE, MIN_DIGITAL_NUMBERS = 3.0, 150.0

# An 8-bit picture has no reflectance: its white is taken for 1.
PICTURE_DTYPE, WHITE = "uint8", 255.0


def number_format(dataset: Dataset, bands: Sequence[int]) -> NumberFormat:
    """What the numbers of an open dataset are, by their type; floats by how large they are.

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
    return _kind_of_floats(_brightness(dataset, bands), dataset.path.name)


def picture_numbers(dataset: DatasetReader) -> Radiometry:
    """How bytes mean reflectance: from 0 black to 255 white."""
    return Radiometry(dataset.dtypes[0], 1 / WHITE, 0.0, dataset.nodata)


def reflectance_numbers(dataset: DatasetReader, offset_dn: float) -> Radiometry:
    """How floats do that may still hold the offset of the digital numbers they were made of."""
    return Radiometry(dataset.dtypes[0], 1.0, offset_dn / QUANTIFICATION, nodata_of(dataset))


def digital_numbers(
    dataset: DatasetReader, offset_dn: float, quantification: float | None
) -> Radiometry:
    """How digital numbers do: `(number + offset_dn) / quantification`."""
    unit = quantification or QUANTIFICATION
    return Radiometry(dataset.dtypes[0], 1 / unit, offset_dn / unit, nodata_of(dataset))


def nodata_of(dataset: DatasetReader) -> float:
    """What marks missing pixels: what the file declares, or else the custom."""
    declared: float | None = dataset.nodata
    return default_nodata(dataset.dtypes[0]) if declared is None else declared


def has_mask(dataset: DatasetReader) -> bool:
    """Whether a mask beside the bands tells of missing pixels; the opacity of a picture is none."""
    flags = dataset.mask_flag_enums[0]
    return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags


def _kind_of_floats(brightness: float, name: str) -> NumberFormat:
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
    """Median of the brightest band in a sample from all over; 0 where no pixel has data."""
    numbers = sample_windows(dataset, bands)
    raw = Radiometry(dataset.handle.dtypes[0], 1.0, 0.0, nodata_of(dataset.handle))
    valid = numbers[:, raw.valid(numbers)]
    return float(np.median(valid.astype(np.float64), axis=1).max()) if valid.size else 0.0
