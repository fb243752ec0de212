"""Adding overlapping tiles up to whole rows, in memory as high as one tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.core.window import Window


class StripAccumulator:
    """Weighted mean of tiles over a strip as wide as the scene and one tile high.

    Tiles may be added as long as they begin at or below the first row not yet released.
    """

    def __init__(self, bands: int, height: int, width: int) -> None:
        self.top = 0
        self._sum = np.zeros((bands, height, width), dtype=np.float32)
        self._weight = np.zeros((height, width), dtype=np.float32)

    def add(self, tile: Window, prediction: Float32, weight: Float32) -> None:
        """Add a tile's prediction, (band, y, x), with its weight, (y, x)."""
        rows = slice(tile.row - self.top, tile.row_stop - self.top)
        cols = slice(tile.col, tile.col_stop)
        for total, band in zip(self._sum[:, rows, cols], prediction, strict=True):
            cv2.accumulateProduct(band, weight, total)
        self._weight[rows, cols] += weight

    def release(self, parts: Sequence[Window]) -> Iterator[Float32]:
        """The mean of each part of the finished rows, NaN where no tile was added.

        The parts are as wide as the scene and come from the top down without gaps. What is given
        holds until the next is asked for: it lies where the sum was, as new memory of that size
        takes longer than dividing.
        """
        for part in parts:
            rows = slice(part.row - self.top, part.row_stop - self.top)
            mean = self._sum[:, rows]
            with np.errstate(invalid="ignore"):
                np.divide(mean, self._weight[rows], out=mean)
            yield mean
        self._scroll(parts[-1].row_stop - self.top)

    def _scroll(self, count: int) -> None:
        """Move the rows below the released ones to the top and clear what follows them."""
        for plane in (*self._sum, self._weight):  # one by one: numpy would copy what may overlap
            kept = len(plane) - count
            plane[:kept] = plane[count:]
            plane[kept:] = 0.0
        self.top += count
