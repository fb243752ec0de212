"""Units: digital numbers to reflectance and back, linear power to dB and back.

Inside the program optical pixels are top-of-atmosphere reflectance (0-1) and radar pixels are
sigma-nought in dB, both float32 with NaN for nodata. Readers and writers
convert; code between them does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# QUANTIFICATION_VALUE of every Sentinel-2 product since 2016 (S2 PSD-14.9, section 4.9).
QUANTIFICATION = 10_000.0

# Atmospheric correction may yield slightly negative values; anything lower is nodata, whether a
# file declares it or not: -9999 and -32768 as digital numbers or as reflectance, and mixtures.
MIN_REFLECTANCE = -0.9

# No product holds more: its numbers have 16 bits. Floats and integers above it, such as 1e30, are
# nodata, whether a file declares it or not.
MAX_REFLECTANCE = np.iinfo(np.uint16).max / QUANTIFICATION

# Below the noise floor of Sentinel-1 (NESZ about -22 dB): keeps the logarithm of zero finite.
MIN_POWER = 1e-5

_SIXTEEN_BITS = 2  # in bytes
# Of the digits of a float of 32 bits.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Radiometry:
    """Conversion of the numbers in a file: `reflectance = number * scale + offset`."""

    dtype: str
    scale: float
    offset: float
    nodata: float | None

    def valid(self, native: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where pixels, (band, y, x), hold data; shape (y, x).

        A pixel is missing where every band is nodata: one band alone may be 0 on dark ground, as
        the cirrus band often is. Where NaN is nodata, 0 in every band is missing as well. A number
        in any band that is no reflectance, such as NaN, -9999 or 1e30, makes the pixel missing; of
        16 bits the largest number does so where every band has it: one alone may be saturated.
        """
        valid = self._is_declared_valid(native)
        if native.dtype in (np.uint16, np.int16) and len(native) > 1:
            saturated = np.iinfo(native.dtype.name).max
            if (native[0] == saturated).any():
                valid &= (native != saturated).any(axis=0)
        return valid

    def _is_declared_valid(self, native: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where pixels are neither nodata nor beyond all reflectance, (y, x)."""
        if np.issubdtype(native.dtype, np.unsignedinteger) and self.nodata == 0:
            if native[0].all():  # as inside a scene: one band is enough
                valid = np.ones(native.shape[1:], dtype=np.bool_)
            else:  # one pass over what is the largest array of all: some bit is set
                valid = np.asarray(np.bitwise_or.reduce(native, axis=0) != 0, dtype=np.bool_)
            return valid if native.dtype.itemsize <= _SIXTEEN_BITS else valid & self._fits(native)
        valid = self._fits(native)
        nodata = 0.0 if self.nodata is not None and np.isnan(self.nodata) else self.nodata
        if nodata is not None and (native[0] == nodata).any():
            valid &= (native != nodata).any(axis=0)
        return np.asarray(valid, dtype=np.bool_)

    def _fits(self, native: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where every band is a number that reflectance can have, (y, x)."""
        lowest, highest = (
            (limit - self.offset) / self.scale for limit in (MIN_REFLECTANCE, MAX_REFLECTANCE)
        )
        # A little more, as the largest number of 16 bits is one, too.
        highest *= 1 + _ROUNDING
        kind, size = native.dtype.kind, native.dtype.itemsize
        fits = np.ones(native.shape, dtype=np.bool_)
        if kind != "u":
            np.greater(native, math.floor(lowest) if kind == "i" else lowest, out=fits)
        if kind == "f" or size > _SIXTEEN_BITS:
            fits &= np.less_equal(native, highest)
        return np.asarray(fits.all(axis=0), dtype=np.bool_)

    def decode(self, native: NDArray[np.generic]) -> Float32:
        """Reflectance, (band, y, x), of the numbers in a file; NaN where they are missing."""
        reflectance, valid = self.reflectance(native), self.valid(native)
        if not valid.all():
            reflectance[:, ~valid] = np.nan
        return reflectance

    def reflectance(self, native: NDArray[np.generic]) -> Float32:
        """Reflectance of the numbers in a file, of any shape, nodata not considered."""
        with np.errstate(over="ignore"):  # nodata such as the lowest float becomes infinite
            reflectance: Float32 = np.multiply(native, np.float32(self.scale), dtype=np.float32)
        if self.offset:
            reflectance += np.float32(self.offset)
        return reflectance

    def encode(self, reflectance: Float32) -> NDArray[np.generic]:
        """The numbers that encode `reflectance`; a valid pixel never becomes nodata.

        Integers are rounded and kept within their type; a number that would be the nodata value is
        moved to the adjacent one. NaN becomes nodata if the file has such a value.
        """
        dtype = np.dtype(self.dtype)
        # The narrowest floats that hold every number of the type: these arrays are large.
        numbers = reflectance.astype(np.result_type(dtype, np.float32))
        numbers -= self.offset
        numbers /= self.scale
        missing = np.isnan(numbers)
        if np.issubdtype(dtype, np.integer):
            numbers[missing] = 0
            limits = np.iinfo(dtype)
            np.clip(np.rint(numbers, out=numbers), limits.min, limits.max, out=numbers)
        if self.nodata is not None:
            numbers[numbers == self.nodata] = _adjacent(self.nodata, dtype)
            numbers[missing] = self.nodata
        return numbers.astype(dtype, copy=False)


def _adjacent(number: float, dtype: np.dtype[Any]) -> float:
    """The next larger number of a type, or the next smaller one of a number that has none."""
    if np.issubdtype(dtype, np.integer):
        return number + 1 if number < np.iinfo(dtype).max else number - 1
    towards = np.inf if number < 1 else -np.inf
    return float(np.nextafter(dtype.type(number), dtype.type(towards)))


def default_nodata(dtype: DTypeLike) -> float:
    """Nodata of a Sentinel-2 file that declares none: 0, or NaN among floats.

    Source: SPECIAL_VALUE_NODATA of the product metadata, S2 PSD-14.9.
    """
    return 0.0 if np.issubdtype(np.dtype(dtype), np.integer) else float("nan")


def decibel(power: Float32) -> Float32:
    """Linear power to dB, floored at -50 dB."""
    return np.asarray(10.0 * np.log10(np.maximum(power, MIN_POWER)), dtype=np.float32)


def linear_power(decibels: Float32) -> Float32:
    """Decibels to linear power."""
    return np.asarray(10.0 ** (decibels / 10.0), dtype=np.float32)
