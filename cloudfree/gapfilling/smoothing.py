"""What is known around a gap, spread over it: near values first, far ones where none is near."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

# Standard deviations of the Gaussians, in nodes.
SPREADS = (1.5, 4.0, 12.0, 36.0)
# A Gaussian of so many nodes is well sampled.
NARROW = 3.0
# Weight of what is known at which a Gaussian counts half.
HALF_WEIGHT = 0.02


def spread(values: Float32, weight: Float32, elsewhere: Float32) -> Float32:
    """Values, (plane, y, x), of weight 0 to 1, (y, x), spread over the whole.

    Normalised convolutions (Knutsson and Westin, CVPR 1993) from narrow to wide; each takes the
    part that the narrower ones leave, and `elsewhere`, (plane,), what is left then.
    """
    known = np.where(weight > 0, values, np.float32(0)) * weight
    total = np.zeros_like(known)
    left = np.ones(weight.shape, np.float32)
    for sigma in SPREADS:
        near = _blurred(weight, sigma)
        share = left * near / (near + HALF_WEIGHT)
        scale = share / np.maximum(near, 1e-6)
        total += scale * np.stack([_blurred(plane, sigma) for plane in known])
        left -= share
    return total + elsewhere[:, None, None] * left


def _blurred(plane: Float32, sigma: float) -> Float32:
    """Wide Gaussians are taken of a smaller plane, which they cannot tell from the whole."""
    rows, cols = plane.shape
    step = max(1, min(int(sigma / NARROW), rows // 8, cols // 8))
    size = (-(-cols // step), -(-rows // step))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA) if step > 1 else plane
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT)
    if step > 1:
        return np.asarray(cv2.resize(blurred, (cols, rows)), np.float32)
    return np.asarray(blurred, np.float32)


def distance(known: NDArray[np.bool_]) -> Float32:
    """Distance of each node from the nearest known one, in nodes; the size if none is."""
    if not known.any():
        return np.full(known.shape, max(known.shape), np.float32)
    found = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(found, np.float32)
