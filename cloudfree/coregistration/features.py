"""What an optical and a radar image of one place share: where the ground changes.

Gradients are taken after smoothing, of logarithms (so that speckle and illumination, which
multiply, count alike everywhere), and scaled by their local strength, so that a town or a coast
does not outshout fields.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

# Standard deviation of the smoothing in pixels: little, as sharp edges locate best and speckle
# averages out over the ground that is compared.
SMOOTHING_PX = 0.7

# Standard deviation of the neighbourhood in which gradients are scaled to equal strength.
NEIGHBOURHOOD_PX = 8.0
# These change over many pixels: in steps of so many they are made 20 times as fast.
COARSE_PX = 4
# A mean over a smaller share of valid pixels than this is not used.
MIN_SHARE = 1e-3
# Added to the strength of a neighbourhood as a share of the usual one, so that flat ones stay flat.
FLAT = 1.0
# A single edge counts at most this many times the strength around it.
MAX_STRENGTH = 3.0
# Next to missing pixels and borders nothing counts, then everything more and more.
BORDER_PX = 3.0
TAPER_PX = 8.0

# Darkest reflectance whose logarithm is taken: below it there is noise.
MIN_REFLECTANCE = 0.005

Bits = NDArray[np.bool_]


def optical_features(reflectance: Float32, usable: Bits) -> Float32:
    """Gradients along rows and columns, (2, band, y, x), of reflectance, (band, y, x).

    Zero where pixels are missing or not `usable` (y, x), as under clouds.
    """
    logarithm = np.log(np.maximum(reflectance, MIN_REFLECTANCE))
    return _gradients(logarithm, _complete(reflectance) & usable)


def sar_features(decibels: Float32) -> Float32:
    """Gradients along rows and columns, (2, band, y, x), of dB, (band, y, x); 0 where missing."""
    return _gradients(decibels, _complete(decibels))


def _complete(image: Float32) -> Bits:
    return np.asarray(np.isfinite(image).all(axis=0), dtype=np.bool_)


def _gradients(image: Float32, valid: Bits) -> Float32:
    weight = valid.astype(np.float32)
    near, around = (np.maximum(mean(weight), MIN_SHARE) for mean in (_smooth, _neighbourhood))
    bands = [
        _band_gradients(np.where(valid, band, np.float32(0)), weight, near, around)
        for band in image
    ]
    return np.stack(bands, axis=1) * _taper(valid)


def _band_gradients(band: Float32, weight: Float32, near: Float32, around: Float32) -> Float32:
    """Gradients along rows and columns, (2, y, x), of about unit strength.

    `near` and `around` are the means of the weight that belong to those of the band.
    """
    smooth = _smooth(band) / near * weight
    gradients = np.stack([_difference(smooth, *axis) for axis in ((0, 1), (1, 0))])
    squares = _neighbourhood((gradients**2).sum(axis=0) * weight)
    strength = cv2.sqrt(squares / around)
    there = strength[around > MIN_SHARE]
    floor = FLAT * float(np.median(there)) if there.size else 0.0
    # The least positive number: a plain without any change divides 0 by it.
    gradients /= _enlarged(strength + np.float32(floor + 1e-12), band.shape)
    return np.asarray(np.clip(gradients, -MAX_STRENGTH, MAX_STRENGTH, out=gradients))


def _difference(band: Float32, along_cols: int, along_rows: int) -> Float32:
    """Half the difference of the neighbours along one axis."""
    return np.asarray(cv2.Sobel(band, -1, along_cols, along_rows, ksize=1, scale=0.5))


def _smooth(band: Float32) -> Float32:
    return _gaussian(band, SMOOTHING_PX)


def _neighbourhood(band: Float32) -> Float32:
    """Means over neighbourhoods, (y, x) in steps of `COARSE_PX`."""
    size = tuple(-(-side // COARSE_PX) for side in band.shape[::-1])
    coarse = np.asarray(cv2.resize(band, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    return _gaussian(coarse, NEIGHBOURHOOD_PX / COARSE_PX)


def _enlarged(coarse: Float32, shape: tuple[int, ...]) -> Float32:
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR))


def _gaussian(band: Float32, sigma: float) -> Float32:
    return np.asarray(
        cv2.GaussianBlur(band, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def _taper(valid: Bits) -> Float32:
    """1 well inside valid ground, falling to 0 at its edge and at the border of the image."""
    framed = np.pad(valid, 1).astype(np.uint8)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    ramp = np.clip((distance - BORDER_PX) / TAPER_PX, 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * ramp), dtype=np.float32)
