"""Resampling of clear ground: hidden pixels give nothing to their neighbours and take nothing."""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

# Bilinear weight of clear pixels from which a mixture of them stands for the ground.
MIN_CLEAR_WEIGHT = 0.5
# Farthest pixel that a cubic kernel takes from the nearest one.
CUBIC_REACH_PX = 2

Bits = NDArray[np.bool_]
Plane = NDArray[Any]


class Sampler(Protocol):
    """Samples images, (y, x), at certain places; what lies outside of an image is 0."""

    def nearest(self, plane: Plane) -> Plane:
        """The nearest pixel of each place."""
        ...

    def linear(self, plane: Plane) -> Float32:
        """Bilinear mean of the four pixels around each place."""
        ...

    def cubic(self, plane: Plane) -> Float32:
        """Cubic convolution of the sixteen pixels around each place."""
        ...


def sample_clear(image: Float32, sampler: Sampler) -> Float32:
    """Values of (band, y, x) at the places of a sampler, (band, ...); NaN is hidden.

    Cubic convolution well inside clear ground, and beside hidden pixels the bilinear mean of the
    clear ones. NaN where those weigh less than `MIN_CLEAR_WEIGHT`, where the nearest pixel is
    hidden, and outside of the image. A place on a pixel takes its value alone.
    """
    known: Bits = np.asarray(np.isfinite(image).all(axis=0), dtype=np.bool_)
    all_known = bool(known.all())
    weight = sampler.linear(np.asarray(known, dtype=np.float32))
    nearest = sampler.nearest(np.asarray(known, dtype=np.uint8)) > 0
    valid = nearest & (weight >= MIN_CLEAR_WEIGHT)
    beside = valid & (sampler.nearest(_well_inside(known)) == 0)
    hidden, mixed, weights = ~valid, bool(beside.any()), weight[beside]
    sampled = np.empty((len(image), *weight.shape), dtype=np.float32)
    for band, out in zip(image, sampled, strict=True):
        plane = band if all_known else np.where(known, band, np.float32(0))
        out[:] = sampler.cubic(plane)
        if mixed:
            out[beside] = sampler.linear(plane)[beside] / weights
        out[hidden] = np.nan
    return sampled


def _well_inside(known: Bits) -> NDArray[np.uint8]:
    """1 where all pixels that a cubic kernel may take around a pixel are known."""
    side = 2 * CUBIC_REACH_PX + 1
    eroded = cv2.erode(
        np.asarray(known, dtype=np.uint8), np.ones((side, side), np.uint8),
        borderType=cv2.BORDER_CONSTANT, borderValue=0,
    )  # fmt: skip
    return np.asarray(eroded, dtype=np.uint8)
