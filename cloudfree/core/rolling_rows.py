"""Rows of a raster in memory, so that windows that overlap do not decode them again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.window import Window

Pixels = NDArray[np.generic]


class RollingRows:
    """Serves windows of a raster whose rows come from top to bottom, each of them read once.

    `read` gives the pixels, (band, y, x), of a window. `rows` rows of the whole raster are kept,
    beginning with the first row that was last asked for above or below those in memory.
    """

    def __init__(
        self, read: Callable[[Window], Pixels], height: int, width: int, rows: int
    ) -> None:
        self._read, self._height, self._width, self._rows = read, height, width, rows
        self._held = Window(0, 0, 0, width)
        self._pixels: Pixels | None = None

    def read(self, window: Window) -> Pixels:
        """Pixels of a window, (band, y, x), which are not to be written to."""
        if window.row < self._held.row or window.row_stop > self._held.row_stop:
            self._move_to(window)
        assert self._pixels is not None
        return self._pixels[:, *window.within(self._held)]

    def _move_to(self, window: Window) -> None:
        """Hold the rows from the first of `window` on; what is there already is kept."""
        rows = min(max(self._rows, window.height), self._height - window.row)
        wanted = Window(window.row, 0, rows, self._width)
        begun = self._held.row <= wanted.row < self._held.row_stop
        kept = self._held.row_stop - wanted.row if begun else 0
        below = Window(wanted.row + kept, 0, rows - kept, self._width)
        fresh = self._read(below)
        if kept and self._pixels is not None:
            fresh = np.concatenate([self._pixels[:, -kept:], fresh], axis=1)
        fresh.setflags(write=False)
        self._held, self._pixels = wanted, fresh
