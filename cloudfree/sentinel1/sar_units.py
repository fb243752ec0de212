"""Units of the numbers in a Sentinel-1 file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32, decibel, linear_power
from cloudfree.errors import ErrorCode, InputError

logger = logging.getLogger("cloudfree")

# Nodata values of Sentinel-1 files that declare none.
UNDECLARED_NODATA = (-9999.0, -32768.0)

# No calibrated scene has such a mean, in linear power or in dB; amplitudes are 50 to 500.
MIN_AMPLITUDE = 5.0
# Noise removal leaves a few powers slightly below zero.
MIN_POWER = -1.0

# Lowest and highest median. Sea at low wind is about -30 dB in VH; no scene has half of its pixels
# above 0 dB, but a small part of one may, which is accepted if the user gives the units.
_DETECTED = {"db": (-40.0, 0.0), "linear": (0.0, 1.0)}
_GIVEN = {"db": (-50.0, 10.0), "linear": (0.0, 10.0)}

# No pixel of a calibrated scene is darker or brighter, in dB: noise is about -30, a transponder 50.
# What is beyond was never measured: nodata that is not declared, or damage.
DARKEST_DB, BRIGHTEST_DB = -100.0, 60.0

# Highest median of VH in linear power, -10 dB. In 28 real scenes of woods, fields and towns it is
# at most -13.6 dB; their amplitudes, taken for power, begin at -11.3 dB (docs/experiments.md).
MAX_CROSS_POWER = 0.1
# The same of VV alone: in 58 real scenes at most -4.4 dB, and their amplitudes begin at -8.3 dB.
MAX_POWER, DOUBTED_POWER = 0.4, 0.148


@dataclass(frozen=True)
class SarQuantity:
    """The quantity that the numbers of a scene hold, and the reason for this decision."""

    quantity: Literal["db", "linear", "dn"]
    reason: str


@dataclass(frozen=True)
class SarUnits(SarQuantity):
    """The quantity and nodata of a calibrated file; never dn.

    `scaling` is GDAL's (scale, offset) of each band, applied to the numbers first; empty if they
    change nothing.
    """

    nodata: float | None
    scaling: tuple[tuple[float, float], ...] = ()

    def decibels(self, numbers: NDArray[np.generic]) -> Float32:
        """Sigma-nought in dB, (band, y, x), of the numbers in a file; NaN where missing."""
        values = self._with_gaps(numbers)
        return values if self.quantity == "db" else decibel(values)

    def power(self, numbers: NDArray[np.generic]) -> Float32:
        """Linear power, (band, y, x), of the numbers in a file; NaN where missing."""
        values = self._with_gaps(numbers)
        return values if self.quantity == "linear" else linear_power(values)

    def undeclared(self, numbers: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where pixels, (band, y, x), have a nodata value that the file does not declare."""
        nodata = [*UNDECLARED_NODATA, *([0.0] if self.quantity == "linear" else [])]
        nodata = [value for value in nodata if value != self.nodata]
        with np.errstate(invalid="ignore"):  # of NaN that signals
            found = np.isin(numbers, np.array(nodata, dtype=np.float64)).any(axis=0)
        return np.asarray(found, dtype=np.bool_)

    def _with_gaps(self, numbers: NDArray[np.generic]) -> Float32:
        """A pixel that lacks one polarisation is missing in both.

        In linear power 0 is missing as well; in dB it is a bright target clipped there. Numbers
        that no scene has are missing in both.
        """
        values = numbers.astype(np.float32)
        gaps = missing(values, self.nodata)
        values = scaled(values, self.scaling)
        if self.quantity == "linear":
            gaps |= (values == 0) | (values < MIN_POWER) | (values > 10 ** (BRIGHTEST_DB / 10))
        else:
            gaps |= (values < DARKEST_DB) | (values > BRIGHTEST_DB)
        values[:, gaps.any(axis=0)] = np.nan
        return values


def missing(values: Float32, nodata: float | None) -> NDArray[np.bool_]:
    """True where a number is nodata or not finite, whatever the quantity."""
    undeclared = UNDECLARED_NODATA if nodata is None else (nodata, *UNDECLARED_NODATA)
    gaps: NDArray[np.bool_] = ~np.isfinite(values) | np.isin(
        values, np.array(undeclared, dtype=np.float32)
    )
    return gaps


def scaled(values: Float32, scaling: Sequence[tuple[float, float]]) -> Float32:
    """Apply the scale and offset of each band to numbers, (band, y, x)."""
    if not scaling:
        return values
    terms = np.array(scaling, dtype=np.float32)[:, :, np.newaxis, np.newaxis]
    return np.asarray(values * terms[:, 0] + terms[:, 1], dtype=np.float32)


def decide_units(
    asked: str,
    sample: NDArray[np.generic],
    nodata: float | None,
    name: str,
    scaling: tuple[tuple[float, float], ...] = (),
) -> SarUnits:
    """Units of a file, by the user's choice and a sample of its numbers.

    `asked` is auto, db, linear or dn; `sample` is (band, y, x).

    Raises
    ------
    InputError
        No valid pixel, uncalibrated amplitudes, or numbers that fit neither dB nor power, or not
        the user's choice.
    """
    values = sample.astype(np.float32)
    gaps = missing(values, nodata)
    valid = scaled(values, scaling)[~gaps]
    if not valid.size:
        raise InputError(
            f"no valid pixel in {name}",
            wanted="a Sentinel-1 scene with data",
            hint="check the file and its nodata value",
            code=ErrorCode.NO_DATA,
        )
    whole = np.issubdtype(sample.dtype, np.integer) and not scaling
    if asked == "dn" or (asked == "auto" and whole and float(valid.mean()) > MIN_AMPLITUDE):
        raise _uncalibrated(valid, name)
    # Zeros surround scenes in linear power and carry no information.
    nonzero = valid[valid != 0]
    median, lowest = (
        (float(np.median(nonzero)), float(nonzero.min())) if nonzero.size else (0.0, 0.0)
    )
    quantity = _quantity(asked, median, lowest)
    if quantity is None:
        raise _implausible(asked, median, lowest, name)
    if asked == "auto" and quantity == "linear":
        _check_power(scaled(values, scaling), gaps, name)
    if asked != "auto":
        return SarUnits(quantity, "as given", nodata, scaling)
    reason = "negative numbers" if quantity == "db" else "numbers from 0"
    return SarUnits(quantity, f"{reason}, median {median:.3g}", nodata, scaling)


def _check_power(values: Float32, gaps: NDArray[np.bool_], name: str) -> None:
    """Refuse amplitudes, the roots of power, where the darker of two bands shows them.

    A single band shows them only where it is brighter than any; where it may be, warn.
    """
    bands = [band[~gap & (band != 0)] for band, gap in zip(values, gaps, strict=True)]
    if not all(band.size for band in bands):
        return
    darker = min(float(np.median(band)) for band in bands)
    alone = len(bands) == 1
    most, which = (MAX_POWER, "the band") if alone else (MAX_CROSS_POWER, "the darker band")
    if darker > most:
        raise InputError(
            f"numbers of median {darker:.3g} in {which} of {name}, as of amplitudes",
            wanted=f"linear power, whose median in {'VV' if alone else 'VH'} is below {most:g}, or "
            "dB",
            hint="square them if they are amplitudes; say --s1-units linear if they are power",
        )
    if alone and darker > DOUBTED_POWER:
        logger.warning(
            "the numbers of %s, of median %.3g, are taken for linear power, and may be amplitudes: "
            "square them if they are; say --s1-units linear if they are power", name, darker,
        )  # fmt: skip


def _quantity(asked: str, median: float, lowest: float) -> Literal["db", "linear"] | None:
    """The quantity that fits the median and the minimum; None if none does."""
    bounds = _DETECTED if asked == "auto" else _GIVEN
    low, high = bounds["db"]
    if asked in ("auto", "db") and lowest < 0 and low <= median <= high:
        return "db"
    low, high = bounds["linear"]
    if asked in ("auto", "linear") and lowest > MIN_POWER and low < median < high:
        return "linear"
    return None


def _implausible(asked: str, median: float, lowest: float, name: str) -> InputError:
    found = f"numbers of median {median:.4g} and minimum {lowest:.4g} in {name}"
    both = {"db": "dB (median {:g} to {:g}, some negative)",
            "linear": "linear power (median {:g} to {:g})"}  # fmt: skip
    if asked == "auto":
        wanted = " or ".join(text.format(*_DETECTED[name]) for name, text in both.items())
        return InputError(
            found,
            wanted=f"sigma-nought in {wanted}",
            hint="convert them, give the bands their scale, or say what they are with --s1-units",
        )
    return InputError(
        f"{found}, with --s1-units {asked}",
        wanted=f"sigma-nought in {both[asked].format(*_GIVEN[asked])}",
        hint="leave --s1-units out, convert the numbers, or give the bands their scale",
        code=ErrorCode.BAD_OPTION,
    )


def _uncalibrated(valid: Float32, name: str) -> InputError:
    return InputError(
        f"uncalibrated digital numbers (mean {float(valid.mean()):.4g}) in {name}",
        wanted="sigma-nought in dB or linear power, or a GRD product with its tables",
        hint="give the SAFE folder or zip, or calibrate it first with SNAP, pyroSAR or sarsen",
    )
