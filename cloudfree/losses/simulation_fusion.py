"""What the second stage of the Simulation-Fusion GAN learns from.

Source: Gao et al., Remote Sensing 12(1), 191, 2020, and its published code. The perceptual term,
0.8 times the squared distance of VGG-16 features, counts where the weights of VGG-16 are given.
The first stage learns from ``pixel.l1`` alone.
"""

from collections.abc import Sequence

from torch import Tensor

from cloudfree.losses.adversarial import generator_loss
from cloudfree.losses.cloud_aware import masked_l1
from cloudfree.losses.perceptual import PerceptualDistance
from cloudfree.losses.pixel import l1

ADVERSARIAL, WHOLE, CLOUDED, PERCEPTUAL = 1e-4, 10.0, 10.0, 0.8  # weights


def fusion_loss(
    image: Tensor,
    target: Tensor,
    mask: Tensor,
    logits: Tensor,
    perceptual: PerceptualDistance | None = None,
    colours: Sequence[int] = (2, 1, 0),
) -> Tensor:
    """L1 over the image and over its clouds, and ``logits`` of the discriminator for ``image``.

    With ``perceptual`` also how differently the red, green and blue bands look; ``colours`` is
    where these stand.
    """
    loss = (
        ADVERSARIAL * generator_loss(logits)
        + WHOLE * l1(image, target)
        + CLOUDED * masked_l1(image, target, mask)
    )
    if perceptual is None:
        return loss
    seen = list(colours)
    distance: Tensor = perceptual(image[:, seen], target[:, seen])
    return loss + PERCEPTUAL * distance
