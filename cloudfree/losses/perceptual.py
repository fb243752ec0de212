"""How differently two images look to a network that knows photographs.

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
