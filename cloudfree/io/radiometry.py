"""Deciding what the numbers of an optical file mean."""

from __future__ import annotations

import numpy as np
from rasterio.io import DatasetReader

from cloudfree.core.units import QUANTIFICATION, Radiometry, default_nodata
from cloudfree.io.dataset import Dataset

# Reflectance above 20 does not exist, and no scene of digital numbers has its median below it.
MAX_REFLECTANCE = 20.0
_SAMPLE_PX = 256

# An 8-bit picture has no reflectance: its white is taken for 1.
PICTURE_DTYPE, WHITE = "uint8", 255.0


def holds_digital_numbers(dataset: Dataset) -> bool:
    """Whether a dataset holds reflectance as digital numbers, which may have an offset.

    Bytes are a picture; other whole numbers are digital numbers; floats are reflectance unless
    they are too large for it.
    """
    dtype = dataset.handle.dtypes[0]
    if dtype == PICTURE_DTYPE:
        return False
    return not np.issubdtype(np.dtype(dtype), np.floating) or _exceeds_reflectance(dataset)


def digital_numbers(
    dataset: DatasetReader, offset_dn: float, quantification: float | None
) -> Radiometry:
    """How digital numbers mean reflectance: `(number + offset_dn) / quantification`."""
    unit = quantification or QUANTIFICATION
    return Radiometry(dataset.dtypes[0], 1 / unit, offset_dn / unit, _nodata(dataset))


def plain_numbers(dataset: DatasetReader) -> Radiometry:
    """How the other numbers do: floats as they are, bytes from 0 black to 255 white."""
    dtype = dataset.dtypes[0]
    if dtype == PICTURE_DTYPE:
        return Radiometry(dtype, 1 / WHITE, 0.0, dataset.nodata)
    return Radiometry(dtype, 1.0, 0.0, _nodata(dataset))


def _nodata(dataset: DatasetReader) -> float:
    declared: float | None = dataset.nodata
    return default_nodata(dataset.dtypes[0]) if declared is None else declared


def _exceeds_reflectance(dataset: Dataset) -> bool:
    sample = dataset.sample([0], _SAMPLE_PX)
    sample = sample[np.isfinite(sample) & (sample != 0)]
    return sample.size > 0 and float(np.median(sample)) > MAX_REFLECTANCE
