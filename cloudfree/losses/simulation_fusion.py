"""What the second stage of the Simulation-Fusion GAN learns from.

Source: Gao et al., Remote Sensing 12(1), 191, 2020, and its published code. Its perceptual term,
``PERCEPTUAL`` times ``PerceptualDistance``, is added where the weights of VGG-16 are given. The
first stage learns from ``pixel.l1`` alone.
"""

from torch import Tensor

from cloudfree.losses.adversarial import generator_loss
from cloudfree.losses.cloud_aware import masked_l1
from cloudfree.losses.pixel import l1

ADVERSARIAL, WHOLE, CLOUDED, PERCEPTUAL = 1e-4, 10.0, 10.0, 0.8  # weights


def fusion_loss(image: Tensor, target: Tensor, mask: Tensor, logits: Tensor) -> Tensor:
    """L1 over the image and over its clouds, and ``logits`` of the discriminator for ``image``."""
    return (
        ADVERSARIAL * generator_loss(logits)
        + WHOLE * l1(image, target)
        + CLOUDED * masked_l1(image, target, mask)
    )
