"""How clouds end, measured in blue, (y, x), where they stand out from the ground around them."""

from __future__ import annotations

import cv2
import numpy as np

from cloudfree.core.radiometry import Float32


def specks(blue: Float32) -> int:
    """Clouds, or bright roofs, of a few pixels."""
    around = cv2.medianBlur((np.clip(blue, 0, 1) * 255).astype(np.uint8), 9) / 255
    count, _ = cv2.connectedComponents((blue - around > 0.15).astype(np.uint8))
    return int(count) - 1


def steepness(blue: Float32) -> float:
    """Median change from pixel to pixel at the edges of clouds, in reflectance."""
    smooth = cv2.GaussianBlur(blue, (0, 0), 4.0)
    down, right = np.diff(blue, axis=0)[:, :-1], np.diff(blue, axis=1)[:-1]
    edge = ((smooth > 0.2) & (smooth < 0.5))[:-1, :-1]
    return float(np.median(np.hypot(down, right)[edge]))
