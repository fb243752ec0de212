"""Radar on the grid of a scene, whose shift leaves no gap at the end of both."""

from __future__ import annotations

import numpy as np

from cloudfree.core.displacement import Displacement, reach_px
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32
from cloudfree.sentinel1.sar_source import SarOnGrid


def shifted_radar(sar: SarOnGrid, shift: Displacement, grid: Grid, window: Window) -> Float32:
    """VV and VH of a window of a grid, (2, y, x) in dB; NaN where there is none.

    The shift can move the end of the radar so far into the scene as it reaches. That edge is
    extrapolated, or else a line of cloud would remain where both scenes end together.
    """
    edge_px = reach_px(shift)
    outer = window.buffered(edge_px, grid.height, grid.width)
    filled = fill_edge(sar.on_grid(grid, outer, shift), edge_px)
    return filled[:, *window.relative_to(outer)]


def fill_edge(bands: Float32, width_px: int) -> Float32:
    """The bands, (band, y, x), with missing pixels up to `width_px` from data extrapolated.

    Each takes the mean of its four neighbours that have data, step by step from the edge outwards;
    a pixel is missing where any band is NaN. Pixels farther out stay missing. A window needs a halo
    of `width_px` pixels to equal the whole.
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
