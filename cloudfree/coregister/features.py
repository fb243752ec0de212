"""What an optical and a radar image of one place share: where the ground changes.

Gradients are taken after smoothing, of logarithms (so that speckle and illumination, which
multiply, count alike everywhere), and scaled by their local strength, so that a town or a coast
does not outshout fields.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.units import Float32

# Standard deviation of the smoothing in pixels: little, as sharp edges tell places best and speckle
# averages out over the ground that is compared.
SMOOTHING_PX = 0.7

# Standard deviation of the neighbourhood in which gradients are scaled to equal strength.
NEIGHBOURHOOD_PX = 8.0
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
    weight, taper = valid.astype(np.float32), _taper(valid)
    bands = [_band_gradients(np.where(valid, band, 0.0), weight) for band in image]
    return np.stack(bands, axis=1) * taper


def _band_gradients(band: Float32, weight: Float32) -> Float32:
    """Gradients along rows and columns, (2, y, x), of about unit strength."""
    smooth = _mean(band.astype(np.float32), weight, SMOOTHING_PX)
    gradients = np.stack([np.gradient(smooth, axis=axis) for axis in (0, 1)])
    strength = np.sqrt(_mean((gradients**2).sum(axis=0), weight, NEIGHBOURHOOD_PX))
    floor = FLAT * float(np.median(strength[weight > 0])) if weight.any() else 0.0
    # The least positive number: a plain without any change divides 0 by it.
    gradients /= strength + np.float32(floor + 1e-12)
    return np.asarray(np.clip(gradients, -MAX_STRENGTH, MAX_STRENGTH), dtype=np.float32)


def _mean(band: Float32, weight: Float32, sigma: float) -> Float32:
    """Gaussian mean over valid pixels; 0 where there is none near and where there is no data."""
    total = _gaussian(band * weight, sigma)
    return np.asarray(total / np.maximum(_gaussian(weight, sigma), 1e-3) * weight, np.float32)


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
