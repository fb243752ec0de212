"""Structural similarity (SSIM) as a loss, and the losses that add it to others.

The window, the constants and the zero border are those of the figure in ``cloudfree.metrics``.

The letter states no loss; this is our choice.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cloudfree.losses.pixel import l1, spectral_angle_loss

# Window and constants of Wang et al., IEEE TIP 13(4), 2004, for a dynamic range of 1.
WINDOW_PX = 11
SIGMA_PX = 1.5
C1 = 0.01**2
C2 = 0.03**2


def similarity_map(image: Tensor, target: Tensor) -> Tensor:
    """SSIM of every pixel of two (n, band, y, x) in 0..1, each band by itself; at most 1.

    Beyond the border both images count as zero.
    """
    moments = [image, target, image * image, target * target, image * target]
    mean_x, mean_y, square_x, square_y, product = map(_smooth, moments)
    variances = square_x + square_y - mean_x**2 - mean_y**2
    numerator = (2 * mean_x * mean_y + C1) * (2 * (product - mean_x * mean_y) + C2)
    denominator = (mean_x**2 + mean_y**2 + C1) * (variances + C2)
    return numerator / denominator


def similarity_loss(image: Tensor, target: Tensor) -> Tensor:
    """One minus the mean SSIM: 0 for equal images, at most 2."""
    return 1.0 - similarity_map(image, target).mean()


def _smooth(values: Tensor) -> Tensor:
    """Weigh the surroundings of each pixel by a bell, along one axis after the other."""
    distance = torch.arange(WINDOW_PX, dtype=values.dtype, device=values.device) - WINDOW_PX // 2
    bell = (-(distance**2) / (2 * SIGMA_PX**2)).exp()
    bell = bell / bell.sum()
    planes = values.flatten(0, 1).unsqueeze(1)  # (n * band, 1, y, x)
    planes = functional.conv2d(planes, bell.reshape(1, 1, -1, 1), padding=(WINDOW_PX // 2, 0))
    planes = functional.conv2d(planes, bell.reshape(1, 1, 1, -1), padding=(0, WINDOW_PX // 2))
    return planes.reshape(values.shape)


SIMILARITY_WEIGHT = 0.1


def pixel_and_structure(image: Tensor, target: Tensor) -> Tensor:
    """L1 and a tenth of one minus SSIM."""
    return l1(image, target) + SIMILARITY_WEIGHT * similarity_loss(image, target)


BLOCK_PX = 16
COLOUR, SIMILARITY, ANGLE = 0.5, 0.1, 0.05  # weights


def surroundings_loss(image: Tensor, target: Tensor) -> Tensor:
    """L1, L1 of the means of 16 x 16 blocks, one minus SSIM and the spectral angle; in 0..1."""
    blocks = functional.avg_pool2d(image - target, BLOCK_PX, ceil_mode=True).abs().mean()
    return (
        l1(image, target)
        + COLOUR * blocks
        + SIMILARITY * similarity_loss(image, target)
        + ANGLE * spectral_angle_loss(image, target)
    )
