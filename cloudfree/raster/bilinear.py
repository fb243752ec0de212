"""Reading an image between its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

Places = NDArray[np.float64]


def bilinear(image: Float32, rows: Places, cols: Places) -> Float32:
    """Values of (band, y, x) at places counted in pixel centres: (band, *rows.shape).

    NaN outside the image and wherever a pixel that takes part is NaN. A place exactly on a pixel
    takes that pixel alone.
    """
    height, width = image.shape[1:]
    inside = (rows >= 0) & (rows <= height - 1) & (cols >= 0) & (cols <= width - 1)
    row, col = np.where(inside, rows, 0.0), np.where(inside, cols, 0.0)
    top, left = np.floor(row).astype(np.intp), np.floor(col).astype(np.intp)
    down, right = (row - top).astype(np.float32), (col - left).astype(np.float32)
    # A neighbour of no weight is the pixel itself, so that its NaN, or the border, does not matter.
    below, output_beside = top + (down > 0), left + (right > 0)
    upper = image[:, top, left] * (1 - right) + image[:, top, output_beside] * right
    lower = image[:, below, left] * (1 - right) + image[:, below, output_beside] * right
    values = upper * (1 - down) + lower * down
    return np.asarray(np.where(inside, values, np.nan), dtype=np.float32)
