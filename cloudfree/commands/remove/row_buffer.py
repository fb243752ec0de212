"""Rows of a raster in memory, so that windows that overlap do not decode them again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.window import Window

RasterArray = NDArray[np.generic]


class RollingRows:
    """Serves windows of a raster whose rows come from top to bottom, each of them read once.

    `read` writes the pixels of a window into an array, (band, y, x). `held`, of that shape, has
    room for the rows that are kept, beginning with the first that was last asked for above or below
    those in memory: always the same, for new memory of that size takes longer than what is read
    into it (tests/bench/NOTES.md).
    """

    def __init__(
        self, read: Callable[[Window, RasterArray], object], height: int, held: RasterArray
    ) -> None:
        self._read, self._height, self._pixels = read, height, held
        self._held = Window(0, 0, 0, held.shape[2])

    def read(self, window: Window) -> RasterArray:
        """Pixels of a window, (band, y, x), which hold until the next is asked for.

        They are not to be written to, and the window is at most as high as what is held.
        """
        if window.row < self._held.row or window.row_stop > self._held.row_stop:
            self._move_to(window.row)
        pixels = self._pixels[:, *window.within(self._held)]
        pixels.setflags(write=False)
        return pixels

    def _move_to(self, row: int) -> None:
        """Hold the rows from `row` on; what is there already is kept."""
        rows = min(self._pixels.shape[1], self._height - row)
        wanted = Window(row, 0, rows, self._held.width)
        kept = max(self._held.row_stop - row, 0) if row >= self._held.row else 0
        first = row - self._held.row
        for band in self._pixels:  # band by band: numpy would copy what may overlap
            band[:kept] = band[first : first + kept]
        self._read(Window(row + kept, 0, rows - kept, wanted.width), self._pixels[:, kept:rows])
        self._held = wanted
