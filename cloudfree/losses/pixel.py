"""Losses of single pixels: L1, Charbonnier, spectral angle, Gaussian likelihood.

Source: Ebel et al., UnCRtainTS: Uncertainty quantification for cloud removal in optical satellite
time series, CVPRW 2023, with its published code.
"""

from __future__ import annotations

import math

from torch import Tensor


def over_bands(mask: Tensor, image: Tensor) -> Tensor:
    """A mask (n, y, x) as (n, 1, y, x) of the type of ``image``, which all bands share."""
    return mask.unsqueeze(1).to(image.dtype)


CHARBONNIER_EPSILON = 1e-3  # reflectance; below it the loss is a parabola


def l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of two (n, band, y, x)."""
    return (image - target).abs().mean()


def charbonnier(image: Tensor, target: Tensor, epsilon: float = CHARBONNIER_EPSILON) -> Tensor:
    """L1 with a round bottom: the mean of sqrt(difference^2 + ``epsilon``^2), at least ``epsilon``.

    Source: Charbonnier et al., Two deterministic half-quadratic regularization algorithms for
    computed imaging, ICIP 1994.
    """
    return ((image - target).square() + epsilon**2).sqrt().mean()


# Where spectra are parallel the arc cosine has no slope, and a black pixel has no direction. The
# limits keep the gradient finite: angles count from 0.0014 rad on, and a spectrum shorter than
# 0.001 counts as more and more perpendicular to everything, the darker it is.
MAX_COSINE = 1.0 - 1e-6
MIN_LENGTH = 1e-3


def spectral_angle_loss(image: Tensor, target: Tensor) -> Tensor:
    """Mean angle in radians between the spectra of two (n, band, y, x) in 0..1.

    Source: the spectral angle mapper, Kruse et al., Remote Sensing of Environment 44, 1993.
    """
    cosine = (image * target).sum(dim=1) / (_length(image) * _length(target))
    return cosine.clamp(-MAX_COSINE, MAX_COSINE).acos().mean()


def _length(spectra: Tensor) -> Tensor:
    return spectra.square().sum(dim=1).clamp(min=MIN_LENGTH**2).sqrt()


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
