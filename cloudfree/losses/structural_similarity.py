"""Structural similarity (SSIM) of two images, to be learned from.

The window, the constants and the zero border are those of the figure in ``cloudfree.metrics``.
"""

import torch
from torch import Tensor
from torch.nn import functional

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
