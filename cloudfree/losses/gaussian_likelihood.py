"""Negative log-likelihood of the target under independent normal distributions; in nats.

Source: Ebel et al., UnCRtainTS: Uncertainty quantification for cloud removal in optical satellite
time series, CVPRW 2023, with its published code.
"""

import math

from torch import Tensor


def gaussian_likelihood(image: Tensor, target: Tensor, variance: Tensor) -> Tensor:
    """Per value (GNLL): the mean over all values of three (n, band, y, x)."""
    squared = (target - image).square() / variance
    return 0.5 * (variance.log() + squared + math.log(2 * math.pi)).mean()


def spectrum_likelihood(
    image: Tensor, target: Tensor, variance: Tensor, published: bool = False
) -> Tensor:
    """Per spectrum (MGNLL, diagonal covariance): the sum over the bands, its mean over the pixels.

    The published code adds up the log-determinants over the batch too, so that they weigh as many
    times as the batch has samples: ``published`` does the same, for runs that are to compare.
    """
    samples, bands = image.shape[:2]
    squared = ((target - image).square() / variance).sum(dim=1).mean()
    log_determinant = variance.log().sum(dim=1).mean() * (samples if published else 1)
    return 0.5 * (squared + log_determinant + bands * math.log(2 * math.pi))
