"""Whether a predicted variance tells the size of the errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# UnCRtainTS groups predictions by 5 % of the range of their variances.
BINS = 20

Values = NDArray[np.floating]


@dataclass(frozen=True)
class Calibration:
    """How well variances fit errors.

    `uce` and `auce` are reflectance, 0 at best. `within_1` and `within_2` are the shares of the
    errors that are at most one and two standard deviations: 0.683 and 0.954 for normal ones.
    """

    values: int
    uce: float
    auce: float
    within_1: float
    within_2: float


def calibration(variance: Values, error: Values) -> Calibration | None:
    """Calibration of predicted variances, by the errors of the predictions; both of one length.

    Predictions are sorted into 20 equally wide bins of the variance, from the least to the
    largest. The gap of a bin is that between root mean squared error and root mean variance: UCE
    is the mean gap over the predictions, AUCE that over the bins that are not empty. None where
    there is no prediction.

    Source: UnCRtainTS, train_reconstruct.py (Ebel et al., CVPR Workshops 2023).
    """
    if not len(variance):
        return None
    variance, error = variance.astype(np.float64), error.astype(np.float64)
    # The upper limit of the last bin belongs to it; equal variances all lie in the first.
    edges = np.linspace(variance.min(), variance.max(), BINS + 1)[1:-1]
    place = np.digitize(variance, edges) if np.ptp(variance) else np.zeros(len(variance), int)
    counts = np.bincount(place, minlength=BINS)
    full = counts > 0
    squared = np.bincount(place, error**2, BINS)[full] / counts[full]
    predicted = np.bincount(place, variance, BINS)[full] / counts[full]
    gaps = np.abs(np.sqrt(squared) - np.sqrt(predicted))
    sigmas = np.abs(error) / np.sqrt(variance)
    return Calibration(
        values=len(variance),
        uce=float((gaps * counts[full]).sum() / len(variance)),
        auce=float(gaps.mean()),
        within_1=float((sigmas <= 1).mean()),
        within_2=float((sigmas <= 2).mean()),
    )
