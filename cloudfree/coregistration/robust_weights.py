"""Matches that do not agree with the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float64

# Residuals up to so many medians count fully, then less (Huber 1964, doi:10.1214/aoms/1177703732),
# and beyond the second bound not at all.
FULL = 2.0
OUTLIER = 4.0


def huber_weights(residuals: Float64, found: NDArray[np.bool_]) -> Float64:
    """Weight of each match, 0 for an outlier to 1, by the length of its residual, (n,).

    `found`, (n,), is where there is a match at all; others weigh nothing.
    """
    if not found.any():
        return np.zeros(len(residuals))
    usual = max(float(np.median(residuals[found])), 1e-9)
    weight = np.minimum(1.0, FULL * usual / np.maximum(residuals, 1e-9))
    return np.where((residuals <= OUTLIER * usual) & found, weight, 0.0)
