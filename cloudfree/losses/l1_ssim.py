"""What SG-BAFM + DFIN learns from: values and their structure.

The letter states no loss; this is our choice.
"""

from torch import Tensor

from cloudfree.losses.pixel import l1
from cloudfree.losses.structural_similarity import similarity_loss

SIMILARITY_WEIGHT = 0.1


def pixel_and_structure(image: Tensor, target: Tensor) -> Tensor:
    """L1 and a tenth of one minus SSIM."""
    return l1(image, target) + SIMILARITY_WEIGHT * similarity_loss(image, target)
