"""From agreement to one shift of the scene, or of each clear window, and its reliability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cloudfree.core.displacement import NO_SHIFT, PolynomialDisplacement, Shift, monomials
from cloudfree.core.radiometry import Float64
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.coregistration.tie_points import huber_weights

# Around the peak: everything nearer than this belongs to it, everything else is background.
PEAK_PX = 8

# The peak must stand twice as high above the background as the highest of its rivals, and both
# halves of the ground must put it at the same place. See the tests on real scenes for what these
# two bounds accept.
MIN_RELIABILITY = 0.5
MAX_DISAGREEMENT_PX = 1.5


@dataclass(frozen=True)
class ShiftEstimate:
    """A measured shift.

    `reliability` is 1 - rival / peak, from 0 (another shift fits as well) to 1 (no other fits at
    all), heights counted from the background; `disagreement_px` is how far the shifts of two
    halves of the ground lie apart.
    """

    shift: Shift
    reliability: float
    disagreement_px: float

    @property
    def reliable(self) -> bool:
        """Whether the shift may be applied."""
        return self.reliability >= MIN_RELIABILITY and self.disagreement_px <= MAX_DISAGREEMENT_PX


NOTHING_MEASURED = ShiftEstimate(NO_SHIFT, 0.0, math.inf)


def estimate_shift(power: CrossPower) -> ShiftEstimate:
    """The shift at which both sensors agree best, to a part of a pixel."""
    if power.reach <= PEAK_PX:
        return NOTHING_MEASURED
    whole, *halves = power.agreement()
    reliability = _reliability(whole)
    if not reliability > 0:
        return NOTHING_MEASURED
    one, other = (_peak(half) for half in halves)
    return ShiftEstimate(
        _peak(whole), reliability, math.hypot(one.row - other.row, one.col - other.col)
    )


def _peak(agreement: Float64) -> Shift:
    """Place of the maximum, counted from the middle, by a parabola through its neighbours."""
    reach = len(agreement) // 2
    row, col = _highest(agreement)
    inside = 0 < row < 2 * reach and 0 < col < 2 * reach
    part = _vertex(agreement[row - 1 : row + 2, col - 1 : col + 2]) if inside else (0.0, 0.0)
    return Shift(row - reach + part[0], col - reach + part[1])


def _vertex(around: Float64) -> tuple[float, float]:
    """Top of the least-squares paraboloid through 3 x 3 values, at most a pixel from the middle."""
    step = np.array([-1.0, 0.0, 1.0])
    slope = np.array([(around * step[:, None]).sum(), (around * step).sum()]) / 6
    bend_row, bend_col = (
        np.tensordot(around, curve, axes=([axis], [0])).sum() / 3
        for axis, curve in ((0, [1.0, -2.0, 1.0]), (1, [1.0, -2.0, 1.0]))
    )
    twist = (around * np.outer(step, step)).sum() / 4
    bend = np.array([[bend_row, twist], [twist, bend_col]])
    if bend_row >= 0 or np.linalg.det(bend) <= 0:
        return 0.0, 0.0
    row, col = np.clip(-np.linalg.solve(bend, slope), -1, 1)
    return float(row), float(col)


def _reliability(agreement: Float64) -> float:
    """How far the peak stands above its rivals; 0 at the edge, where it may go on outside."""
    row, col = _highest(agreement)
    if not (0 < row < len(agreement) - 1 and 0 < col < len(agreement) - 1):
        return 0.0
    rows, cols = np.ogrid[: agreement.shape[0], : agreement.shape[1]]
    background = agreement[np.hypot(rows - row, cols - col) > PEAK_PX]
    level = float(np.median(background))
    height = float(agreement[row, col]) - level
    if not height > 0:
        return 0.0
    return 1.0 - min((float(background.max()) - level) / height, 1.0)


def _highest(agreement: Float64) -> tuple[int, int]:
    row, col = np.unravel_index(int(agreement.argmax()), agreement.shape)
    return int(row), int(col)


# Clear windows with a reliable shift of their own, and by how many pixels these must differ before
# they replace the shift of all windows together. Tie points reach up to 4.5 px.
MIN_CLEAR_WINDOWS = 6
MIN_DIFFERENCE_PX = 2.0
# Clear windows lie off an affine by no more than this (median).
MAX_MISFIT_PX = 1.0
# Smaller misfits than this do not mark outliers.
MIN_MISFIT_PX = 0.1

MAX_ITERATIONS = 5


@dataclass(frozen=True)
class WindowShift:
    """What a clear window shows by itself: its centre in pixels of the scene, and its estimate."""

    row: float
    col: float
    power: CrossPower
    estimate: ShiftEstimate


def affine_from_windows(
    clear_windows: Sequence[WindowShift], height: int, width: int
) -> PolynomialDisplacement | None:
    """The affine through shifts of clear windows; None where they do not differ over the scene."""
    sure = [clear_window for clear_window in clear_windows if clear_window.estimate.reliable]
    if len(sure) < MIN_CLEAR_WINDOWS:
        return None
    frame = PolynomialDisplacement(1, ((0.0, 0.0),) * 3, height, width)
    rows, cols = frame.unit(
        np.array([one.row for one in sure]),
        np.array([one.col for one in sure]),
    )
    terms = np.stack(monomials(rows, cols, 1), axis=1)
    shifts = np.array([(b.estimate.shift.row, b.estimate.shift.col) for b in sure])
    coefficients = _robust_affine(terms, shifts)
    if coefficients is None:
        return None
    if np.hypot(*np.ptp(terms @ coefficients, axis=0)) < MIN_DIFFERENCE_PX:
        return None
    pairs = tuple((float(row), float(col)) for row, col in coefficients)
    return PolynomialDisplacement(1, pairs, height, width)


def _robust_affine(terms: Float64, shifts: Float64) -> Float64 | None:
    """Coefficients, (terms, 2), of most of the shifts, (n, 2); None if they do not agree."""
    weights = np.ones(len(shifts))
    all_found = np.ones(len(shifts), dtype=np.bool_)
    for _ in range(MAX_ITERATIONS):
        root = np.sqrt(weights)[:, None]
        coefficients = np.linalg.lstsq(terms * root, shifts * root, rcond=None)[0]
        misfit = np.hypot(*(shifts - terms @ coefficients).T)
        weights = huber_weights(np.maximum(misfit, MIN_MISFIT_PX), all_found)
    kept = terms[weights > 0]
    enough = len(kept) >= MIN_CLEAR_WINDOWS and np.linalg.matrix_rank(kept) == terms.shape[1]
    agree = bool(enough and np.median(misfit) <= MAX_MISFIT_PX)
    return np.asarray(coefficients, dtype=np.float64) if agree else None


def most_reliable(clear_windows: Sequence[WindowShift]) -> WindowShift:
    """The clear window whose shift is most reliable."""
    return max(clear_windows, key=lambda clear_window: clear_window.estimate.reliability)
