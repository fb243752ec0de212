"""How much of the original a restored pixel keeps near the edge of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32


def feather(replaced: NDArray[np.bool_], width_px: int) -> Float32:
    """Opacity of the restoration, (y, x): 0 outside `replaced`, 1 from `width_px` inside its edge.

    The ramp lies wholly inside, so pixels outside keep their value; borders of the array are no
    edges. A strip needs a halo of `width_px + 1` pixels to equal the whole scene.
    """
    # OpenCV measures to the nearest zero; a strip without one is far from any edge.
    if replaced.all():
        return np.ones(replaced.shape, dtype=np.float32)
    distance = cv2.distanceTransform(replaced.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    position = np.clip(distance / (width_px + 1), 0.0, 1.0)
    return np.asarray(position * position * (3.0 - 2.0 * position), dtype=np.float32)
