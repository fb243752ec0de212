"""Sampling at any positions: grids of other coordinate systems and pixel sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from cloudfree.commands.remove.references.clear_sampling import CUBIC_REACH_PX, Plane
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, Float64
from cloudfree.raster.warp import positions

# Positions are exact on a lattice of so many pixels and linear between: over 160 m a map
# projection bends by less than a millimetre.
LATTICE_PX = 16

# OpenCV takes positions up to this one; all others lie outside of every image.
MAX_POSITION_PX = 32_000.0
OUTSIDE_PX = -4.0


@dataclass(frozen=True)
class AtPositions:
    """Samples at rows and columns, (y, x), in pixel centres; not finite where there is no place.

    OpenCV rounds positions to 1/32 of a pixel, and takes seconds where others take minutes.
    """

    rows: Float64
    cols: Float64

    def window(self, source: Grid) -> Window | None:
        """The part of `source` that is needed, None if there is none."""
        finite = np.isfinite(self.rows) & np.isfinite(self.cols)
        if not finite.any():
            return None
        top, bottom = _span(self.rows[finite], source.height)
        left, right = _span(self.cols[finite], source.width)
        there = bottom > top and right > left
        return Window(top, left, bottom - top, right - left) if there else None

    def within(self, window: Window) -> AtPositions:
        """The same places counted from a window."""
        return AtPositions(self.rows - window.row, self.cols - window.col)

    def nearest(self, plane: Plane) -> Plane:
        """The nearest pixel of each place."""
        return self._sampled(plane, cv2.INTER_NEAREST)

    def linear(self, plane: Plane) -> Float32:
        """Bilinear mean of the four pixels around each place."""
        return self._sampled(plane, cv2.INTER_LINEAR)

    def cubic(self, plane: Plane) -> Float32:
        """Cubic convolution of the sixteen pixels around each place."""
        return self._sampled(plane, cv2.INTER_CUBIC)

    @cached_property
    def _at(self) -> tuple[Float32, Float32]:
        """Columns and rows, as OpenCV takes them."""
        return _finite(self.cols), _finite(self.rows)

    def _sampled(self, plane: Plane, kernel: int) -> Plane:
        return np.asarray(
            cv2.remap(plane, *self._at, kernel, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        )


def positions_in(source: Grid, grid: Grid) -> AtPositions:
    """Where the pixels of `grid` lie in `source`."""
    rows, cols = _lattice(grid.height), _lattice(grid.width)
    down, right = np.meshgrid(rows, cols, indexing="ij")
    at = np.stack([right.ravel(), down.ravel()], axis=1) + 0.5
    col, row = (positions(grid, source, at) - 0.5).T.reshape(2, *down.shape)
    return AtPositions(_between(row, rows, cols, grid), _between(col, rows, cols, grid))


def _span(places: Float64, size: int) -> tuple[int, int]:
    margin = CUBIC_REACH_PX + 1
    first, last = int(np.floor(places.min())) - margin, int(np.ceil(places.max())) + margin + 1
    return max(first, 0), min(last, size)


def _lattice(size: int) -> Float64:
    """Places from the first to the last pixel."""
    return np.linspace(0, size - 1, -(-(size - 1) // LATTICE_PX) + 1) if size > 1 else np.zeros(1)


def _between(values: Float64, rows: Float64, cols: Float64, grid: Grid) -> Float64:
    """Values on a lattice, (rows, cols), at all pixels of a grid."""
    with np.errstate(invalid="ignore"):  # infinities stay so, or become NaN
        along = _interpolated(values, rows, grid.height)
        return _interpolated(along.T, cols, grid.width).T


def _interpolated(values: Float64, places: Float64, size: int) -> Float64:
    """Values, (place, ...), at every pixel from the first place to the last, (size, ...)."""
    if size == 1:
        return values
    step = np.arange(size) / (places[1] - places[0])
    first = np.clip(np.floor(step).astype(np.intp), 0, len(places) - 2)
    share = (step - first)[:, None]
    return np.asarray(values[first] * (1 - share) + values[first + 1] * share)


def _finite(places: Float64) -> Float32:
    near = np.clip(places, OUTSIDE_PX, MAX_POSITION_PX)
    return np.where(np.isfinite(places), near, OUTSIDE_PX).astype(np.float32)
