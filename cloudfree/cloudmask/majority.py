"""What most of the pixels around each one are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MEDIAN_PX = 5
MEDIAN_HALO_PX = MEDIAN_PX // 2


def median_of(true: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The 5x5 median of a mask, (y, x); what lies outside the array is not true.

    The median of zeros and ones is one where more than half of them are.
    """
    count = cv2.boxFilter(
        true.astype(np.uint8),
        -1,
        (MEDIAN_PX, MEDIAN_PX),
        normalize=False,
        borderType=cv2.BORDER_CONSTANT,
    )
    return np.asarray(count > MEDIAN_PX**2 // 2)
