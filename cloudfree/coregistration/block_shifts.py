"""Shifts of single blocks: where they differ too much, no one shift fits the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cloudfree.core.displacement import PolynomialDisplacement, monomials
from cloudfree.core.radiometry import Float64
from cloudfree.coregistration.global_shift import ShiftEstimate
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.coregistration.robust_weights import huber_weights

# Blocks with a reliable shift of their own, and by how many pixels these must differ before they
# are believed more than the shift of all blocks together. Windows look up to 4.5 px away.
MIN_BLOCKS = 6
MIN_DIFFERENCE_PX = 2.0
# Blocks lie off an affine by no more than this (median).
MAX_MISFIT_PX = 1.0
# Smaller misfits than this do not tell outliers.
LEAST_MISFIT_PX = 0.1

ROUNDS = 5


@dataclass(frozen=True)
class BlockShift:
    """What a block shows by itself: its centre in pixels of the scene, and its estimate."""

    row: float
    col: float
    power: CrossPower
    estimate: ShiftEstimate


def affine_from_blocks(
    blocks: Sequence[BlockShift], height: int, width: int
) -> PolynomialDisplacement | None:
    """The affine through shifts of blocks that differ over a scene; None where they do not."""
    sure = [block for block in blocks if block.estimate.reliable]
    if len(sure) < MIN_BLOCKS:
        return None
    frame = PolynomialDisplacement(1, ((0.0, 0.0),) * 3, height, width)
    rows, cols = frame.unit(
        np.array([block.row for block in sure]), np.array([block.col for block in sure])
    )
    terms = np.stack(monomials(rows, cols, 1), axis=1)
    shifts = np.array([(b.estimate.shift.row, b.estimate.shift.col) for b in sure])
    coefficients = _through(terms, shifts)
    if coefficients is None:
        return None
    if np.hypot(*np.ptp(terms @ coefficients, axis=0)) < MIN_DIFFERENCE_PX:
        return None
    pairs = tuple((float(row), float(col)) for row, col in coefficients)
    return PolynomialDisplacement(1, pairs, height, width)


def _through(terms: Float64, shifts: Float64) -> Float64 | None:
    """Coefficients, (terms, 2), of most of the shifts, (n, 2); None if they do not agree."""
    weights = np.ones(len(shifts))
    everyone = np.ones(len(shifts), dtype=np.bool_)
    for _ in range(ROUNDS):
        root = np.sqrt(weights)[:, None]
        coefficients = np.linalg.lstsq(terms * root, shifts * root, rcond=None)[0]
        misfit = np.hypot(*(shifts - terms @ coefficients).T)
        weights = huber_weights(np.maximum(misfit, LEAST_MISFIT_PX), everyone)
    kept = terms[weights > 0]
    enough = len(kept) >= MIN_BLOCKS and np.linalg.matrix_rank(kept) == terms.shape[1]
    agree = bool(enough and np.median(misfit) <= MAX_MISFIT_PX)
    return np.asarray(coefficients, dtype=np.float64) if agree else None


def most_reliable(blocks: Sequence[BlockShift]) -> BlockShift:
    """The block whose shift is most reliable."""
    return max(blocks, key=lambda block: block.estimate.reliability)
