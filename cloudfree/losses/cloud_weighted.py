"""Losses that weigh clouds: CARL of DSen2-CR and the cloud-aware loss of Cloud-Attentive.

Source: Meraner et al., Cloud removal in Sentinel-2 imagery using a deep residual neural network and
SAR-optical data fusion, ISPRS Journal 166, 2020.

Source: Bui et al. 2025, equations 15 to 18, and the published training code, which differs: the
paper weighs every pixel by the mask, the code adds a term for the masked pixels. Equation 16 takes
snow out of the mask; in the masks that are used here it is a class of its own.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from cloudfree.losses.pixel import l1, over_bands
from cloudfree.losses.structural_similarity import similarity_loss, similarity_map


def carl(image: Tensor, target: Tensor, cloudy: Tensor, mask: Tensor) -> Tensor:
    """Keep the input ``cloudy`` where ``mask`` is 0, reach ``target`` where it is 1 and overall.

    ``mask`` marks clouds and their shadows. Published on reflectance times 5.
    """
    hidden = over_bands(mask, image)
    kept = (1.0 - hidden) * (image - cloudy).abs()
    filled = hidden * (image - target).abs()
    return (kept + filled).mean() + l1(image, target)


CLOUDY_WEIGHT = 0.8  # the paper's lambda, equation 17; clear pixels weigh the rest
ERROR_WEIGHT = SIMILARITY_WEIGHT = 0.5  # equation 18, and in the code
MASKED_WEIGHT = 2.0  # in the code


def cloud_aware(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The loss of the paper: squared error and SSIM of every pixel, clouded pixels four times.

    Both are means over the bands; the similarity counts as one minus SSIM.
    """
    error = (image - target).square().mean(dim=1)  # (n, y, x)
    dissimilarity = 1.0 - similarity_map(image, target).mean(dim=1)
    clouded = mask.to(image.dtype)
    weight = CLOUDY_WEIGHT * clouded + (1.0 - CLOUDY_WEIGHT) * (1.0 - clouded)
    return (weight * (ERROR_WEIGHT * error + SIMILARITY_WEIGHT * dissimilarity)).mean()


def published_cloud_aware(
    image: Tensor, target: Tensor, mask: Tensor, error: Literal["l1", "mse"] = "l1"
) -> Tensor:
    """The loss of the published code; ``error`` is its setting, ``l1`` its default."""
    overall = l1(image, target) if error == "l1" else (image - target).square().mean()
    return (
        MASKED_WEIGHT * masked_l1(image, target, mask)
        + ERROR_WEIGHT * overall
        + SIMILARITY_WEIGHT * similarity_loss(image, target)
    )


def masked_l1(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Absolute difference where ``mask`` is 1, as a mean over all pixels."""
    clouded = over_bands(mask, image)
    return l1(image * clouded, target * clouded)
