"""The angle between the spectra of two images, to be learned from."""

from torch import Tensor

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
