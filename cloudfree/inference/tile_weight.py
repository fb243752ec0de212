"""How much each pixel of a tile counts where tiles overlap."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32


def tile_weight(height: int, width: int, overlap: int) -> Float32:
    """Weight of a tile's pixels, (y, x), in (0, 1]: one inside, falling smoothly over the overlap.

    The ramp is a raised cosine; it never reaches zero, so a pixel seen by one tile only keeps that
    tile's value after division by the sum of weights.
    """
    return np.outer(_ramp(height, overlap), _ramp(width, overlap)).astype(np.float32)


def _ramp(length: int, overlap: int) -> Float32:
    # Half of a tile at most may be ramp: beyond its middle the other side begins.
    reach = max(min(overlap, length // 2), 1)
    distance = np.minimum(np.arange(length), np.arange(length)[::-1])
    position = np.minimum((distance + 0.5) / reach, 1.0)
    return (0.5 - 0.5 * np.cos(np.pi * position)).astype(np.float32)
