"""Deciding what the numbers of an optical file mean."""

from __future__ import annotations

import numpy as np
from rasterio.io import DatasetReader

from cloudfree.core.units import QUANTIFICATION, Radiometry, default_nodata
from cloudfree.errors import InputError

# Reflectance above 20 does not exist, and no scene of digital numbers has its median below it.
MAX_REFLECTANCE = 20.0
_SAMPLE_PX = 256

# An 8-bit picture has no reflectance: its white is taken for 1.
PICTURE_DTYPE, WHITE = "uint8", 255.0


def radiometry_of(dataset: DatasetReader, offset_dn: float | None = None) -> Radiometry:
    """How the numbers of an open dataset mean reflectance.

    Bytes are a picture, 0 black to 255 white; other whole numbers are digital numbers of
    reflectance x 10000; floats are reflectance unless they are too large for it. `offset_dn` is
    what is added to digital numbers (-1000 since processing baseline 04.00); without it the band
    tag RADIO_ADD_OFFSET decides, else it is 0.

    Raises
    ------
    InputError
        Offsets that differ between the bands.
    """
    dtype = dataset.dtypes[0]
    if dtype == PICTURE_DTYPE:
        return Radiometry(dtype, 1 / WHITE, 0.0, dataset.nodata)
    nodata = dataset.nodata if dataset.nodata is not None else default_nodata(dtype)
    if np.issubdtype(np.dtype(dtype), np.floating) and not _holds_digital_numbers(dataset):
        return Radiometry(dtype, 1.0, 0.0, nodata)
    offset = offset_dn if offset_dn is not None else _tagged_offset(dataset)
    return Radiometry(dtype, 1 / QUANTIFICATION, offset / QUANTIFICATION, nodata)


def _tagged_offset(dataset: DatasetReader) -> float:
    """The RADIO_ADD_OFFSET of the bands, as GDAL's SENTINEL2 driver writes it; 0 without one."""
    tags = [dataset.tags(index).get("RADIO_ADD_OFFSET") for index in dataset.indexes]
    offsets = {float(tag) for tag in tags if tag is not None}
    if len(offsets) > 1:
        raise InputError(
            f"different RADIO_ADD_OFFSET tags {sorted(offsets)} in {dataset.name}",
            wanted="one offset for all bands",
            hint="give the offset with --s2-offset",
        )
    return offsets.pop() if offsets else 0.0


def _holds_digital_numbers(dataset: DatasetReader) -> bool:
    shape = (min(dataset.height, _SAMPLE_PX), min(dataset.width, _SAMPLE_PX))
    sample = dataset.read(1, out_shape=shape)
    sample = sample[np.isfinite(sample) & (sample != 0)]
    return sample.size > 0 and float(np.median(sample)) > MAX_REFLECTANCE
