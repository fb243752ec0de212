"""Structural similarity (SSIM) as a loss, and the losses that add it to others or weigh clouds.

The window, the constants and the zero border are those of the figure in ``cloudfree.metrics``.

The letter states no loss; this is our choice.

Source: Meraner et al., Cloud removal in Sentinel-2 imagery using a deep residual neural network and
SAR-optical data fusion, ISPRS Journal 166, 2020.

Source: Bui et al. 2025, equations 15 to 18, and the published training code, which differs: the
paper weighs every pixel by the mask, the code adds a term for the masked pixels. Equation 16 takes
snow out of the mask; in the masks that are used here it is a class of its own.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.losses.pixel import l1, over_bands, spectral_angle_loss

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


SIMILARITY_SHARE = 0.1


def pixel_and_structure(image: Tensor, target: Tensor) -> Tensor:
    """L1 and a tenth of one minus SSIM."""
    return l1(image, target) + SIMILARITY_SHARE * similarity_loss(image, target)


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


def carl(image: Tensor, target: Tensor, cloudy: Tensor, mask: Tensor) -> Tensor:
    """Keep the input ``cloudy`` where ``mask`` is 0, reach ``target`` where it is 1 and overall.

    ``mask`` marks clouds and their shadows. Published on reflectance times 5.
    """
    hidden = over_bands(mask, image)
    kept = (1.0 - hidden) * (image - cloudy).abs()
    filled = hidden * (image - target).abs()
    return (kept + filled).mean() + l1(image, target)


CLOUDY_WEIGHT = 0.8  # the paper's lambda, equation 17; clear pixels weigh the rest
ERROR_WEIGHT = CLOUD_AWARE_SIMILARITY = 0.5  # equation 18, and in the code
MASKED_WEIGHT = 2.0  # in the code


def cloud_aware(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The loss of the paper: squared error and SSIM of every pixel, clouded pixels four times.

    Both are means over the bands; the similarity counts as one minus SSIM.
    """
    error = (image - target).square().mean(dim=1)  # (n, y, x)
    dissimilarity = 1.0 - similarity_map(image, target).mean(dim=1)
    clouded = mask.to(image.dtype)
    weight = CLOUDY_WEIGHT * clouded + (1.0 - CLOUDY_WEIGHT) * (1.0 - clouded)
    return (weight * (ERROR_WEIGHT * error + CLOUD_AWARE_SIMILARITY * dissimilarity)).mean()


def error_and_structure(image: Tensor, target: Tensor) -> Tensor:
    """The ablation of the paper: half squared error, half one minus SSIM, every pixel alike."""
    error = (image - target).square().mean()
    return ERROR_WEIGHT * error + CLOUD_AWARE_SIMILARITY * similarity_loss(image, target)


def published_cloud_aware(
    image: Tensor, target: Tensor, mask: Tensor, error: Literal["l1", "mse"] = "l1"
) -> Tensor:
    """The loss of the published code; ``error`` is its setting, ``l1`` its default."""
    overall = l1(image, target) if error == "l1" else (image - target).square().mean()
    return (
        MASKED_WEIGHT * masked_l1(image, target, mask)
        + ERROR_WEIGHT * overall
        + CLOUD_AWARE_SIMILARITY * similarity_loss(image, target)
    )


def masked_l1(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Absolute difference where ``mask`` is 1, as a mean over all pixels."""
    clouded = over_bands(mask, image)
    return l1(image * clouded, target * clouded)
