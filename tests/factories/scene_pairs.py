"""Fields that an optical and a radar sensor see at known places."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.radiometry import Float32, decibel

FIELD_PX = 10
# Points per pixel along each side: what a sensor sees of a pixel is its mean.
FINENESS = 3
# Looks of the radar after multilooking; speckle varies by 1 / sqrt(LOOKS).
LOOKS = 16


def field_pair(side: int, shift: Displacement = NO_SHIFT, seed: int = 0) -> tuple[Float32, Float32]:
    """Reflectance, (4, y, x), and dB, (2, y, x), of the same fields.

    What the optical sensor shows at (r, c) the radar, through speckle, shows at
    `shift.locate(r, c)`.
    """
    rng = np.random.default_rng(seed)
    reach = side + 40
    count = (reach // FIELD_PX) ** 2
    fields = cKDTree(rng.uniform(-20, side + 20, (count, 2)))
    green = rng.uniform(0, 1, count)
    colours = np.stack([0.08 - 0.03 * green, 0.1 - 0.05 * green, 0.15 + 0.3 * green,
                        0.3 - 0.15 * green]) + rng.normal(0, 0.005, (4, count))  # fmt: skip
    echoes = np.stack([0.06 + 0.08 * green, 0.01 + 0.03 * green]) * rng.gamma(20, 0.05, count)
    optical = _seen(fields, colours, side, NO_SHIFT) + rng.normal(0, 0.002, (4, side, side))
    power = _seen(fields, echoes, side, shift) * rng.gamma(LOOKS, 1 / LOOKS, (2, side, side))
    return optical.astype(np.float32), decibel(power.astype(np.float32))


def origin(shift: Displacement, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where the optical sensor shows what the radar shows at rows and columns."""
    row, col = rows, cols
    for _ in range(8):
        there = shift.locate(row, col)
        row, col = row + rows - there[0], col + cols - there[1]
    return row, col


def _seen(fields: cKDTree, values: np.ndarray, side: int, shift: Displacement) -> np.ndarray:
    steps = (np.arange(side * FINENESS) + 0.5) / FINENESS - 0.5
    rows, cols = origin(shift, *np.meshgrid(steps, steps, indexing="ij"))
    owner = fields.query(np.stack([rows, cols], axis=-1) + 0.5)[1]
    parts = values[:, owner].reshape(len(values), side, FINENESS, side, FINENESS)
    return parts.mean(axis=(2, 4))
