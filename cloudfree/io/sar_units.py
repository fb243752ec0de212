"""Deciding what the numbers of a Sentinel-1 file mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cloudfree.core.units import Float32, decibel, linear_power
from cloudfree.errors import InputError

# What marks missing pixels in Sentinel-1 files that declare nothing.
UNDECLARED_NODATA = (-9999.0, -32768.0)

# No calibrated scene has such a mean, in linear power or in dB; amplitudes are 50 to 500.
MIN_AMPLITUDE = 5.0
# Sea at low wind is about -30 dB in VH; no scene has half of its pixels above 0 dB.
MIN_MEDIAN_DB = -40.0
MAX_MEDIAN_POWER = 1.0


@dataclass(frozen=True)
class SarQuantity:
    """What the numbers of a scene are, and why they are taken for that."""

    quantity: Literal["db", "linear", "dn"]
    reason: str


@dataclass(frozen=True)
class SarUnits(SarQuantity):
    """The quantity in a calibrated file and what marks missing pixels; never dn."""

    nodata: float | None

    def decibels(self, numbers: NDArray[np.generic]) -> Float32:
        """Sigma-nought in dB, (band, y, x), of the numbers in a file; NaN where missing."""
        values = self._with_gaps(numbers)
        return values if self.quantity == "db" else decibel(values)

    def power(self, numbers: NDArray[np.generic]) -> Float32:
        """Linear power, (band, y, x), of the numbers in a file; NaN where missing."""
        values = self._with_gaps(numbers)
        return values if self.quantity == "linear" else linear_power(values)

    def undeclared(self, numbers: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where pixels, (band, y, x), are missing by a mark that the file does not declare."""
        marks = [*UNDECLARED_NODATA, *([0.0] if self.quantity == "linear" else [])]
        marks = [mark for mark in marks if mark != self.nodata]
        found = np.isin(numbers, np.array(marks, dtype=np.float64)).any(axis=0)
        return np.asarray(found, dtype=np.bool_)

    def _with_gaps(self, numbers: NDArray[np.generic]) -> Float32:
        """A pixel that lacks one polarisation is missing in both.

        In linear power 0 is missing as well; in dB it is a bright target clipped there.
        """
        values = numbers.astype(np.float32)
        gaps = missing(values, self.nodata)
        if self.quantity == "linear":
            gaps |= values == 0
        values[:, gaps.any(axis=0)] = np.nan
        return values


def missing(values: Float32, nodata: float | None) -> NDArray[np.bool_]:
    """True where a number marks a missing pixel, whatever the quantity."""
    marks = UNDECLARED_NODATA if nodata is None else (nodata, *UNDECLARED_NODATA)
    gaps: NDArray[np.bool_] = ~np.isfinite(values) | np.isin(
        values, np.array(marks, dtype=np.float32)
    )
    return gaps


def decide_units(
    asked: str, sample: NDArray[np.generic], nodata: float | None, name: str
) -> SarUnits:
    """What the numbers of a file mean, from what the user said or from a sample of them.

    `asked` is auto, db, linear or dn.

    Raises
    ------
    InputError
        No valid pixel, uncalibrated amplitudes, or numbers that fit neither dB nor power.
    """
    values = sample.astype(np.float32)
    valid = values[~missing(values, nodata)]
    if not valid.size:
        raise InputError(
            f"no valid pixel in {name}",
            wanted="a Sentinel-1 scene with data",
            hint="check the file and its nodata value",
        )
    if asked == "dn" or (asked == "auto" and _is_amplitude(valid, sample.dtype)):
        raise _uncalibrated(valid, name)
    if asked in ("db", "linear"):
        return SarUnits("db" if asked == "db" else "linear", "as given", nodata)
    return _detected(valid, nodata, name)


def _is_amplitude(valid: Float32, dtype: DTypeLike) -> bool:
    return np.issubdtype(np.dtype(dtype), np.integer) and float(valid.mean()) > MIN_AMPLITUDE


def _detected(valid: Float32, nodata: float | None, name: str) -> SarUnits:
    # Zeros fringe scenes in linear power and say nothing of the rest.
    filled = valid[valid != 0]
    median, lowest = (float(np.median(filled)), float(filled.min())) if filled.size else (0.0, 0.0)
    if lowest < 0 and MIN_MEDIAN_DB <= median <= 0:
        return SarUnits("db", f"negative numbers, median {median:.1f}", nodata)
    # Noise removal leaves a few powers slightly below zero.
    if lowest > -MAX_MEDIAN_POWER and 0 < median < MAX_MEDIAN_POWER:
        return SarUnits("linear", f"numbers from 0, median {median:.3g}", nodata)
    raise InputError(
        f"numbers of median {median:.4g} and least {lowest:.4g} in {name}",
        wanted="sigma-nought in dB (median -40 to 0) or linear power (median 0 to 1)",
        hint="say what they are with --s1-units",
    )


def _uncalibrated(valid: Float32, name: str) -> InputError:
    return InputError(
        f"uncalibrated digital numbers (mean {float(valid.mean()):.4g}) in {name}",
        wanted="sigma-nought in dB or linear power, or a GRD product with its tables",
        hint="give the SAFE folder or zip, or calibrate it first with SNAP, pyroSAR or sarsen",
    )
