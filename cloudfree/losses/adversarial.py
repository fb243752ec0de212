"""Losses of the GANs: generator, discriminator, Simulation-Fusion, attention of SpA GAN.

Both work on logits, positive where an image looks true, of any shape. The softplus of SpA GAN and
McGAN and the binary cross-entropy of pix2pix are the same; pix2pix halves the discriminator's loss
(``PIX2PIX_SHARE``).

Source: Goodfellow et al., Generative adversarial nets, NeurIPS 2014 (the loss that does not
saturate); Isola et al., CVPR 2017, section 3.3 for the half.

Source: Gao et al., Remote Sensing 12(1), 191, 2020, and its published code. Its perceptual term,
``PERCEPTUAL`` times ``PerceptualDistance``, is added where the weights of VGG-16 are given. The
first stage learns from ``pixel.l1`` alone.

Source: Pan, arXiv 2009.13015. The mask of its published code, target less input, marks what is
darker than the ground, so shadows and no clouds; here it is a cloud mask.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from cloudfree.losses.cloud_weighted import masked_l1
from cloudfree.losses.pixel import l1

PIX2PIX_SHARE = 0.5


def generator_loss(predicted: Tensor) -> Tensor:
    """Small where the discriminator takes predicted images for true ones."""
    return functional.softplus(-predicted).mean()


def discriminator_loss(true: Tensor, predicted: Tensor, share: float = 1.0) -> Tensor:
    """Small where it separates true from predicted images; ``share`` slows it down."""
    return share * (functional.softplus(-true).mean() + functional.softplus(predicted).mean())


ADVERSARIAL, WHOLE, CLOUDED, PERCEPTUAL = 1e-4, 10.0, 10.0, 0.8  # weights


def fusion_loss(image: Tensor, target: Tensor, mask: Tensor, logits: Tensor) -> Tensor:
    """L1 over the image and over its clouds, and ``logits`` of the discriminator for ``image``."""
    return (
        ADVERSARIAL * generator_loss(logits)
        + WHOLE * l1(image, target)
        + CLOUDED * masked_l1(image, target, mask)
    )


def attention_loss(attention: Tensor, mask: Tensor) -> Tensor:
    """Mean square of ``attention`` (n, 1, y, x) less ``mask`` (n, y, x), both 0..1."""
    return (attention[:, 0] - mask.to(attention.dtype)).square().mean()
