"""Structural similarity (SSIM): how alike two images are in brightness, contrast and structure."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

# Window and constants of Wang et al., IEEE TIP 13(4), 2004, for a dynamic range of 1.
WINDOW_PX = 11
SIGMA_PX = 1.5
C1 = 0.01**2
C2 = 0.03**2

# How far beyond a pixel its window reaches.
HALO_PX = WINDOW_PX // 2

CENTRED = WINDOW_PX / 2 - 0.5
# GLF-CR (metrics.py) centres the bell half a pixel beside the middle of the window.
OFF_CENTRE = WINDOW_PX / 2


def structural_similarity(truth: Float32, image: Float32, centre: float = CENTRED) -> Float32:
    """SSIM of every pixel of two images, (band, y, x), each band by itself; same shape, at most 1.

    Beyond the border both images count as zero, as in the published code. `centre` is the
    position of the bell in its window: `CENTRED` is the definition of UnCRtainTS and the default,
    `OFF_CENTRE` that of GLF-CR.

    Source: UnCRtainTS, learning/metrics.py (symmetric window, zero padding 5); the formula is
    equation 13 of Wang et al., IEEE TIP 13(4), 2004.
    """
    window = _bell(centre)
    pairs = zip(truth, image, strict=True)
    return np.stack([_band_similarity(one, other, window) for one, other in pairs])


def _bell(centre: float) -> NDArray[np.float64]:
    """The window along one side; the square window is its outer product with itself."""
    bell = np.exp(-((np.arange(WINDOW_PX) - centre) ** 2) / (2 * SIGMA_PX**2))
    return np.asarray(bell / bell.sum(), dtype=np.float64)


def _band_similarity(truth: Float32, image: Float32, window: NDArray[np.float64]) -> Float32:
    # Double precision: E[x^2] - mu^2 loses most of its digits over even ground.
    x, y = truth.astype(np.float64), image.astype(np.float64)
    mean_x, mean_y = _smooth(x, window), _smooth(y, window)
    variances = _smooth(x * x + y * y, window) - mean_x**2 - mean_y**2
    covariance = _smooth(x * y, window) - mean_x * mean_y
    structure = (2 * covariance + C2) / (variances + C2)
    brightness = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return np.asarray(brightness * structure, dtype=np.float32)


def _smooth(values: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth = cv2.sepFilter2D(values, cv2.CV_64F, window, window, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(smooth, dtype=np.float64)
