"""The rim that moving one image onto another leaves without data."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32


def fill_edge(bands: Float32, width_px: int) -> Float32:
    """The bands, (band, y, x), with missing pixels up to `width_px` from data taken from there.

    Each takes the mean of its four neighbours that have data, step by step from the edge outwards;
    a pixel is missing where any band is NaN. What lies farther out stays missing. A window needs a
    halo of `width_px` pixels to equal the whole.
    """
    missing = np.isnan(bands).any(axis=0)
    if not missing.any() or missing.all():
        return bands
    filled = np.where(missing, np.nan, bands)
    for _ in range(width_px):
        step = _mean_of_neighbours(filled)
        filled = np.where(np.isnan(filled), step, filled)
    return np.asarray(filled, dtype=np.float32)


def _mean_of_neighbours(bands: Float32) -> Float32:
    """Mean of the neighbours above, below, left and right; NaN where none has data."""
    padded = np.pad(bands, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    sides = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    count = np.sum([np.isfinite(side) for side in sides], axis=0)
    total = np.sum([np.nan_to_num(side) for side in sides], axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
