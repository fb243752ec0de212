"""Correlations of small parts of two images by their spectra.

OpenCV transforms a part ten times as fast as NumPy. Gradients along rows and along columns make one
complex number, so that one transform serves both: the real part of a correlation of such numbers
is the sum of the correlations of either gradient.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

Complex64 = NDArray[np.complex64]


def as_complex(features: Float32) -> Complex64:
    """Gradients along rows and columns, (2, band, y, x), as one complex number, (band, y, x)."""
    numbers = np.empty(features.shape[1:], dtype=np.complex64)
    numbers.real, numbers.imag = features
    return numbers


def side_for(part: int, reach: int) -> int:
    """Side of spectra in which a part and what lies within reach around it have room."""
    return int(cv2.getOptimalDFTSize(part + 2 * reach))


def spectra(images: Complex64, side: int) -> Complex64:
    """Spectra, (n, side, side), of images, (n, y, x), of no more than a side."""
    found = np.zeros((len(images), side, side), dtype=np.complex64)
    found[:, : images.shape[1], : images.shape[2]] = images
    for image in _pairs(found):
        cv2.dft(image, image)
    return found


def correlations(products: Complex64, reach: int) -> Float32:
    """Correlations, (n, 2 reach + 1, 2 reach + 1), for shifts from -reach to reach.

    `products`, (n, side, side), are spectra of what lies within reach around a part times the
    conjugate ones of the part. They are overwritten.
    """
    lags = 2 * reach + 1
    pairs = _pairs(products)
    for image in pairs:
        cv2.idft(image, image, flags=cv2.DFT_SCALE)
    return pairs[:, :lags, :lags, 0]


def _pairs(images: Complex64) -> Float32:
    """Real and imaginary part, (n, y, x, 2), as OpenCV takes them, in the same memory."""
    return images.view(np.float32).reshape(*images.shape, 2)
