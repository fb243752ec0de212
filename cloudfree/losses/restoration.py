"""What cloudfree-s learns from: values, the colours of the surroundings, structure and spectra."""

from torch import Tensor
from torch.nn import functional

from cloudfree.losses.pixel import l1
from cloudfree.losses.spectral_angle import spectral_angle_loss
from cloudfree.losses.structural_similarity import similarity_loss

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
