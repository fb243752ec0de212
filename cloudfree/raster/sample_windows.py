"""Looking at a raster in windows from all over it, without decoding the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.window import Window
from cloudfree.raster.dataset import Dataset

# So many windows of this size, evenly spread; rasters up to 512 pixels are read whole.
WINDOW_PX = 128
WINDOWS_PER_SIDE = 4


def sample_windows(dataset: Dataset, bands: Sequence[int]) -> NDArray[np.generic]:
    """Numbers of some bands, counted from 0, in windows from all over: (band, pixel)."""
    windows = even_windows(dataset.handle.height, dataset.handle.width)
    parts = [dataset.read(list(bands), window).reshape(len(bands), -1) for window in windows]
    return np.concatenate(parts, axis=1)


def even_windows(height: int, width: int) -> list[Window]:
    """The whole raster, or windows all over it."""
    if max(height, width) <= WINDOW_PX * WINDOWS_PER_SIDE:
        return [Window(0, 0, height, width)]
    rows, cols = _starts(height), _starts(width)
    return [
        Window(row, col, min(WINDOW_PX, height), min(WINDOW_PX, width))
        for row in rows
        for col in cols
    ]


def _starts(length: int) -> list[int]:
    last = max(length - WINDOW_PX, 0)
    return sorted({round(last * (i + 0.5) / WINDOWS_PER_SIDE) for i in range(WINDOWS_PER_SIDE)})
