"""What a network sees where a tile has no data."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32


def fill_missing(bands: Float32) -> Float32:
    """The array, (band, y, x), with NaN replaced by the median of its band, 0 where all is NaN."""
    missing = np.isnan(bands)
    if not missing.any():
        return bands
    filled = bands.copy()
    for band, holes in zip(filled, missing, strict=True):
        band[holes] = 0.0 if holes.all() else np.median(band[~holes])
    return filled
