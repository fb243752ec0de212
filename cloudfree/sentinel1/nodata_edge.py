"""Where the valid part of an image ends, and cutting off its last pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

# What is cut off: resampling and speckle filters mix missing pixels this far into valid ones.
EROSION_PX = 3


def hanging(blank: Mask, ends: tuple[bool, bool, bool, bool], reach: int | None = None) -> Mask:
    """What of `blank` hangs on an end of the image, at most `reach` pixels from it, (y, x).

    `ends` tells whether the top, bottom, left and right of the array are ends of the image. A
    blank pixel hangs on an end if all pixels between are blank, in its row or its column.
    """
    found = np.zeros_like(blank)
    for is_end, axis, step in zip(ends, (0, 0, 1, 1), (1, -1, 1, -1), strict=True):
        if is_end:
            view, marks = (np.moveaxis(array, axis, 0)[::step] for array in (blank, found))
            marks[:reach] |= np.logical_and.accumulate(view[:reach], axis=0)
    return found


def grown(mask: Mask, pixels: int) -> Mask:
    """The mask and all within a square of `pixels` around each of its pixels."""
    for axis in (0, 1):
        padded = np.pad(mask, [(pixels, pixels) if axis == a else (0, 0) for a in (0, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * pixels + 1, axis=axis)
        mask = np.asarray(windows.any(axis=-1), dtype=np.bool_)
    return mask
