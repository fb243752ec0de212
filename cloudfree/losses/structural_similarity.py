"""Structural similarity (SSIM) as a loss, and the losses that add it to others.

The window, the constants and the zero border are those of the figure in ``cloudfree.metrics``.

The letter states no loss; this is our choice.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cloudfree.core.bands import OPTICAL_BANDS
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


# Of the loss of the default model: one band of each part of the spectrum, boxes of 8 pixels every
# 4 pixels.
STRUCTURE_BANDS = [OPTICAL_BANDS.index(band) for band in ("B02", "B04", "B08", "B11")]
BOX_PX, BOX_STEP_PX = 8, 4
DEVIATION, RECALLED = 0.5, 0.25  # weights
LEAST_SQUARE = 1e-6  # keeps the gradient of the root finite
WIDEST_COSINE, LEAST_PRODUCT = 0.9999, 1e-3
RECALLED_PX = 8  # side of the blocks whose colour is recalled


def box_structure_loss(image: Tensor, target: Tensor) -> Tensor:
    """One minus the SSIM of four bands of two (n, 13, y, x) in 0..1, in boxes of equal weights."""
    image, target = image[:, STRUCTURE_BANDS], target[:, STRUCTURE_BANDS]
    stacked = torch.cat([image, target, image * image, target * target, image * target], dim=1)
    pooled = functional.avg_pool2d(stacked, BOX_PX, BOX_STEP_PX)
    mean_x, mean_y, square_x, square_y, product = pooled.chunk(5, 1)
    covariance = product - mean_x * mean_y
    variances = square_x - mean_x**2 + square_y - mean_y**2
    brightness = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return 1.0 - (brightness * (2 * covariance + C2) / (variances + C2)).mean()


def filled_image_loss(image: Tensor, target: Tensor) -> Tensor:
    """L1 and root mean square error, plus colours of blocks, structure and spectral angle.

    Both are (n, 13, y, x) in 0..1. The root is of each image by itself, as in PSNR.
    """
    error = image - target
    blocks = functional.avg_pool2d(error, BLOCK_PX).abs().mean()
    cosine = functional.cosine_similarity(image, target, dim=1, eps=LEAST_PRODUCT)
    angle = torch.acos(cosine.clamp(-WIDEST_COSINE, WIDEST_COSINE)).mean()
    deviation = (error.square().mean(dim=(1, 2, 3)) + LEAST_SQUARE).sqrt().mean()
    main = error.abs().mean() + DEVIATION * deviation + COLOUR * blocks
    return main + SIMILARITY * box_structure_loss(image, target) + ANGLE * angle


def recalled_colour_loss(colour: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """L1 of recalled colours (n, 13, y/8, x/8): so the network learns what to trust.

    Neither shadow nor haze is to be trusted. Blocks of the target (n, 13, y, x) that are not
    `valid` as a whole cost nothing.
    """
    whole = functional.avg_pool2d(valid.to(target.dtype), RECALLED_PX) == 1.0
    difference = (colour - functional.avg_pool2d(target, RECALLED_PX)).abs()
    return difference.where(whole, torch.zeros_like(difference)).mean()
