"""Clouds and shadows exactly as the published detector finds them, for test sets of the papers.

The mask of `remove` differs on purpose: its box mean does not end before the border, and its
shadows lie where clouds throw them. Thresholds of the published shadows are those of the array.

Source: `feature_detectors.py` of DSen2-CR (Meraner et al., ISPRS Journal 166, 2020), which GLF-CR
has too; the threshold of 0.2 is that of their data loaders.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.score import BOX_PX, CLOSING_PX, Planes, pixel_score
from cloudfree.core.choices import PUBLISHED_THRESHOLD

# Bands of the score, with the cirrus band where it is there, and of the shadows.
COVER_BANDS = ("B01", "B02", "B03", "B04", "B08", "B11")

MEDIAN_PX = 5

Where = NDArray[np.bool_]


def published_clouds(planes: Planes) -> Where:
    """Clouds, (y, x), of reflectance by band name; pixels without data are none."""
    score = pixel_score({band: np.nan_to_num(plane) for band, plane in planes.items()})
    window = np.ones((CLOSING_PX, CLOSING_PX), dtype=np.uint8)
    closed = np.asarray(cv2.morphologyEx(score, cv2.MORPH_CLOSE, window), dtype=np.float32)
    return np.asarray(_sum_around(closed, BOX_PX) / BOX_PX**2 >= PUBLISHED_THRESHOLD)


def published_shadows(planes: Planes) -> Where:
    """Shadows, (y, x): dark in infrared and blue, by where the means of the array lie."""
    blue, infrared, swir = (
        np.nan_to_num(planes[band]).astype(np.float64) for band in ("B02", "B08", "B11")
    )
    index = (infrared + swir) / 2
    dark = (index < _between(index, 3 / 4)) & (blue < _between(blue, 5 / 6))
    # The median of a map of two values is what most of a window has; beyond the border is none.
    most = MEDIAN_PX**2 // 2
    return np.asarray(_sum_around(dark.astype(np.float64), MEDIAN_PX) > most + 0.5)


def _between(values: NDArray[np.float64], share: float) -> float:
    """So much of the way from the least to the mean."""
    least = values.min()
    return float(least + share * (values.mean() - least))


def _sum_around(values: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    """Sum over the square around each pixel, zeros beyond the border."""
    return np.asarray(
        cv2.boxFilter(
            values, cv2.CV_64F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
        ),
        dtype=np.float64,
    )
