"""The losses of generator and discriminator of a GAN.

Both work on logits, positive where an image looks true, of any shape. The softplus of SpA GAN and
McGAN and the binary cross-entropy of pix2pix are the same; pix2pix halves the discriminator's loss
(``PIX2PIX_SHARE``).

Source: Goodfellow et al., Generative adversarial nets, NeurIPS 2014 (the loss that does not
saturate); Isola et al., CVPR 2017, section 3.3 for the half.
"""

from torch import Tensor
from torch.nn import functional

PIX2PIX_SHARE = 0.5


def generator_loss(restored: Tensor) -> Tensor:
    """Small where the discriminator takes restored images for true ones."""
    return functional.softplus(-restored).mean()


def discriminator_loss(true: Tensor, restored: Tensor, share: float = 1.0) -> Tensor:
    """Small where it tells true from restored images; ``share`` slows it down."""
    return share * (functional.softplus(-true).mean() + functional.softplus(restored).mean())
