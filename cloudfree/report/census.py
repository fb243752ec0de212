"""How many pixels of which class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.window import strips
from cloudfree.io.mask_file import MaskFile

STRIP_ROWS = 512


def class_counts(mask: MaskFile) -> NDArray[np.int64]:
    """Number of pixels of each of the 256 values of a mask, strip by strip."""
    counts = np.zeros(256, dtype=np.int64)
    for strip in strips(mask.grid.height, mask.grid.width, STRIP_ROWS):
        counts += np.bincount(mask.classes(strip).ravel(), minlength=256)
    return counts
