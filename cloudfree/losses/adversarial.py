"""Losses of the GANs: generator, discriminator, Simulation-Fusion, attention, perceptual.

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

Source: Johnson et al., ECCV 2016; layers as in the Simulation-Fusion GAN (Gao et al., Remote
Sensing 12(1), 191, 2020): VGG-16 up to the activation of its fourth convolution. The weights are
not part of this project: they are ImageNet's, as torchvision publishes them (`vgg16-397923af.pth`).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.errors import ModelError
from cloudfree.losses.pixel import l1
from cloudfree.losses.structural_similarity import masked_l1

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


# Convolutions by their place in VGG-16: input and output channels; the third follows a pooling.
LAYERS = {0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128)}
POOLED = 5

# Mean and standard deviation of the photographs that VGG-16 learned from: red, green, blue.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PerceptualDistance(nn.Module):
    """Mean squared distance of VGG-16 features; `weights` are its tensors by their names.

    Raises
    ------
    ModelError
        A tensor of the first four convolutions is missing or of another shape.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {str(place): nn.Conv2d(*sides, 3, padding=1) for place, sides in LAYERS.items()}
        )
        wanted = self.state_dict()
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])
        for name, tensor in wanted.items():
            if name not in weights or weights[name].shape != tensor.shape:
                raise ModelError(
                    f"no {name} of shape {tuple(tensor.shape)} among the weights",
                    wanted="the weights of VGG-16 as torchvision publishes them",
                    hint="give the file vgg16-397923af.pth",
                )
            tensor.copy_(weights[name])
        self.requires_grad_(requires_grad=False)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """Distance of two images (n, 3, y, x) of red, green and blue from 0 to 1: one number."""
        return functional.mse_loss(self._features(image), self._features(target))

    def _features(self, image: Tensor) -> Tensor:
        seen = (image - self.mean) / self.deviation
        for place in LAYERS:
            seen = functional.max_pool2d(seen, 2) if place == POOLED else seen
            seen = functional.relu(self.features[str(place)](seen))
        return seen
