"""How far each pixel of a mask lies from the pixels outside it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32


def distance_to_outside(inside: NDArray[np.bool_]) -> Float32:
    """Euclidean distance in pixels, (y, x), to the nearest pixel that is not `inside`.

    It is 0 outside, and infinite everywhere if all pixels are inside.
    """
    if inside.all():
        return np.full(inside.shape, np.inf, dtype=np.float32)
    # The transform of Intel's IPP rounds by the address of its buffer, so that the same mask gives
    # distances 2e-6 apart; OpenCV's own is exact and as fast. The switch is that of this thread.
    used = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    try:
        distance = cv2.distanceTransform(
            inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
        )
    finally:
        cv2.ipp.setUseIPP(used)
    return np.asarray(distance, dtype=np.float32)
