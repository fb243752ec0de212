"""The published cloud detector in plain NumPy and SciPy, written from its description.

Source: the detector of DSen2-CR (Meraner et al. 2020), as GLF-CR uses it too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

Plane = NDArray[np.float64]


def published_score(bands: dict[str, Plane]) -> Plane:
    """Score, (y, x), of reflectance by band name, with zeros around the 7x7 mean."""
    score = np.ones_like(bands["B02"])
    ndsi_sum = bands["B03"] + bands["B11"]
    ndsi_sum[ndsi_sum == 0] = 0.001
    ndsi = (bands["B03"] - bands["B11"]) / ndsi_sum
    for term in (
        (bands["B02"] - 0.1) / 0.4,
        (bands["B01"] - 0.1) / 0.2,
        (bands["B01"] + bands["B10"] - 0.15) / 0.05,
        (bands["B04"] + bands["B03"] + bands["B02"] - 0.2) / 0.6,
        (ndsi - 0.8) / -0.2,
    ):
        score = np.minimum(score, term)
    score = ndimage.grey_closing(score, size=(5, 5))
    score = signal.convolve2d(score, np.ones((7, 7)) / 49, mode="same")
    return np.asarray(np.clip(score, 1e-5, 1.0), dtype=np.float64)
