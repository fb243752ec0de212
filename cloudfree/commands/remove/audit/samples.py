"""Windows of a result that are kept as they are written, to be compared with files and radar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.grid import Grid, Window
from cloudfree.raster.dataset import spread_windows

# Windows a side and their side: enough of both kinds of ground where a third is filled, and few
# blocks of the file.
A_SIDE, SIDE_PX = 4, 48


@dataclass(frozen=True)
class SampleWindow:
    """A window of the result in the numbers of the file, and what is filled and clear in it."""

    window: Window
    pixels: NDArray[np.generic]
    filled: NDArray[np.bool_]
    clear: NDArray[np.bool_]

    def add(
        self,
        rows: Window,
        pixels: NDArray[np.generic],
        filled: NDArray[np.bool_],
        clear: NDArray[np.bool_],
    ) -> None:
        """Keep what rows as wide as the scene have of it."""
        own = self.window
        first, last = max(own.row, rows.row), min(own.row_stop, rows.row_stop)
        if first >= last:
            return
        there = (slice(first - rows.row, last - rows.row), slice(own.col, own.col_stop))
        here = slice(first - own.row, last - own.row)
        self.pixels[:, here] = pixels[:, *there]
        self.filled[here] = filled[there]
        self.clear[here] = clear[there]

    @classmethod
    def empty(cls, window: Window, bands: int, dtype: str) -> Self:
        """A window of which nothing is known."""
        shape = (window.height, window.width)
        return cls(
            window, np.zeros((bands, *shape), dtype), np.zeros(shape, bool), np.zeros(shape, bool)
        )


def sample_windows(grid: Grid, bands: int, dtype: str) -> tuple[SampleWindow, ...]:
    """Windows spread over a grid."""
    windows = spread_windows(grid.window, A_SIDE, SIDE_PX)
    return tuple(SampleWindow.empty(window, bands, dtype) for window in windows)
