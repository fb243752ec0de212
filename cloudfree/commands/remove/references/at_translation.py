"""Sampling at a grid of the same pixels that is moved, by filters of a few pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from cloudfree.commands.remove.references.clear_sampling import CUBIC_REACH_PX, Plane
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, Float64
from cloudfree.raster.warp import SAME_GRID_PX

# Transforms hold places to some nanometres: a smaller part of a pixel is none.
DIGITS = 6
# Filters take the pixel before a place and the two after it.
_ANCHOR = 1


def translation(source: Grid, grid: Grid) -> tuple[float, float] | None:
    """Row and column of `source`, in pixel centres, of the first pixel of `grid`.

    None where the two differ by more than a translation.
    """
    if source.crs and grid.crs and source.crs != grid.crs:
        return None
    corners = [(0, 0), (grid.width, 0), (0, grid.height)]
    moved = [np.subtract(~source.transform @ (grid.transform @ one), one) for one in corners]
    if np.abs(np.subtract(moved, moved[0])).max() > SAME_GRID_PX:
        return None
    col, row = moved[0]
    return round(float(row), DIGITS), round(float(col), DIGITS)


@dataclass(frozen=True)
class AtTranslation:
    """Samples at `height` x `width` places, a pixel apart, from a row and a column on."""

    row: float
    col: float
    height: int
    width: int

    def window(self, source: Grid) -> Window | None:
        """The part of `source` that is needed, None if there is none."""
        margin = CUBIC_REACH_PX + 1
        top, left = math.floor(self.row) - margin, math.floor(self.col) - margin
        bottom, right = top + self.height + 2 * margin, left + self.width + 2 * margin
        top, left = max(top, 0), max(left, 0)
        bottom, right = min(bottom, source.height), min(right, source.width)
        there = bottom > top and right > left
        return Window(top, left, bottom - top, right - left) if there else None

    def within(self, window: Window) -> AtTranslation:
        """The same places counted from a window."""
        return AtTranslation(self.row - window.row, self.col - window.col, self.height, self.width)

    def nearest(self, plane: Plane) -> Plane:
        """The nearest pixel of each place."""
        return self._taken(plane, math.floor(self.row + 0.5), math.floor(self.col + 0.5))

    def linear(self, plane: Plane) -> Float32:
        """Bilinear mean of the four pixels around each place."""
        return self._filtered(plane, *self._linear)

    def cubic(self, plane: Plane) -> Float32:
        """Cubic convolution of the sixteen pixels around each place."""
        return self._filtered(plane, *self._cubic)

    @cached_property
    def _linear(self) -> tuple[Float64, Float64]:
        return _linear_weights(self.col % 1), _linear_weights(self.row % 1)

    @cached_property
    def _cubic(self) -> tuple[Float64, Float64]:
        return _cubic_weights(self.col % 1), _cubic_weights(self.row % 1)

    def _filtered(self, plane: Plane, along_cols: Float64, along_rows: Float64) -> Float32:
        # Places may lie up to a pixel before the first one.
        padded = cv2.copyMakeBorder(plane, 1, 0, 1, 0, cv2.BORDER_CONSTANT, value=0)
        filtered = cv2.sepFilter2D(
            padded, cv2.CV_32F, along_cols, along_rows, anchor=(_ANCHOR, _ANCHOR),
            borderType=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        row, col = math.floor(self.row) + 1, math.floor(self.col) + 1
        return self._taken(np.asarray(filtered, dtype=np.float32), row, col)

    def _taken(self, plane: Plane, row: int, col: int) -> Plane:
        """The part of a plane from a row and a column on; 0 where it ends."""
        taken = np.zeros((self.height, self.width), dtype=plane.dtype)
        bottom, right = max(row + self.height, 0), max(col + self.width, 0)
        top, left = max(-row, 0), max(-col, 0)
        part = plane[max(row, 0) : bottom, max(col, 0) : right]
        taken[top : top + part.shape[0], left : left + part.shape[1]] = part
        return taken


def _linear_weights(t: float) -> Float64:
    return np.array([0.0, 1 - t, t, 0.0])


def _cubic_weights(t: float) -> Float64:
    """Weights of the pixels around a place between the second and the third.

    Keys 1981, doi:10.1109/TASSP.1981.1163711.
    """
    return np.array([
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ])  # fmt: skip
