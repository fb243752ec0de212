"""Windows from top to bottom, whose common rows are read once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32

# Strips with a halo of half as many rows read no row twice. In 13 bands of a full tile they take
# 37 MB.
KEPT_ROWS = 64
# Radar has few bands, and each reference is compared with that of the scene in the same windows.
KEPT_RADAR_ROWS = 640


class HeldRows:
    """Reads windows and keeps the last rows of each, in case that the next begins with them.

    Windows may come in any order and from several threads.
    """

    def __init__(self, read: Callable[[Window], Float32], kept: int = KEPT_ROWS) -> None:
        self._read, self._kept = read, kept
        self._lock = threading.Lock()
        self._window = Window(0, 0, 0, 0)
        self._rows = np.empty((0, 0, 0), dtype=np.float32)

    def read(self, window: Window) -> Float32:
        """Pixels of a window, (band, y, x), which belong to the caller."""
        with self._lock:
            pixels = self._joined(window)
            last = max(window.height - self._kept, 0)
            self._window = Window(window.row + last, window.col, window.height - last, window.width)
            self._rows = pixels[:, last:].copy()
        return pixels

    def _joined(self, window: Window) -> Float32:
        held = self._window
        same_columns = (held.col, held.width) == (window.col, window.width)
        if not (same_columns and held.row <= window.row < held.row_stop):
            return self._read(window)
        known = self._rows[:, window.row - held.row : window.row_stop - held.row]
        missing = window.height - known.shape[1]
        if not missing:
            return known.copy()
        rest = self._read(Window(held.row_stop, window.col, missing, window.width))
        return np.concatenate([known, rest], axis=1)
