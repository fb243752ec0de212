"""Dates of one place in memory, whose light changes and whose ground does not."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from cloudfree.commands.evaluate.series.cases import Date
from cloudfree.core.radiometry import Float32

BANDS = ("B02", "B03", "B04", "B08")
SIDE = 48
# Rows that clouds hide on cloudy dates.
HIDDEN_ROWS = 14


def ground() -> Float32:
    """Fields in four bands, (4, y, x)."""
    noise = gaussian_filter(np.random.default_rng(3).normal(0, 1, (4, SIDE, SIDE)), (0, 2, 2))
    level = np.reshape([0.05, 0.08, 0.07, 0.3], (4, 1, 1))
    return (level * np.clip(1 + 0.3 * noise / noise.std(), 0.2, 3)).astype(np.float32)


def date(day: int, light: float = 1.0, hidden_rows: int = 0, noise: float = 0.002) -> Date:
    """The ground in some light, with noise of its day, its first rows hidden."""
    seen = light * ground() + np.random.default_rng(1000 + day).normal(0, noise, (4, SIDE, SIDE))
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden[:hidden_rows] = True
    return Date(f"day {day}", float(day), seen.astype(np.float32), hidden)
