"""PatchGAN: a discriminator that judges each patch of 70 x 70 pixels by itself.

The discriminator of SAR-Opt-cGAN, SAR2OPT, McGAN and of the second stage of the Simulation-Fusion
GAN.

Paper: Isola, P., Zhu, J.-Y., Zhou, T., Efros, A. A. (2017). Image-to-image translation with
conditional adversarial networks. CVPR. Its code carries a BSD licence.

Shapes: condition (n, c, y, x) and image (n, b, y, x) with c + b = ``bands``, 32 pixels a side or
more; one logit for each patch, a patch every 8 pixels: (n, 1, y/8 - 2, x/8 - 2).
Units: as the generator's.
"""

import torch
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU


class PatchGan(nn.Module):
    """Separate predicted from true images, both together with what the generator saw."""

    def __init__(self, bands: int = 28, channels: int = 64) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(bands, channels, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            *self._step(channels, 2 * channels, stride=2),
            *self._step(2 * channels, 4 * channels, stride=2),
            *self._step(4 * channels, 8 * channels, stride=1),
            nn.Conv2d(8 * channels, 1, 4, padding=1),
        )

    @staticmethod
    def _step(channels: int, wider: int, stride: int) -> list[nn.Module]:
        convolution = nn.Conv2d(channels, wider, 4, stride=stride, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(wider), nn.LeakyReLU(SLOPE)]

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        """One logit per patch, positive where ``image`` looks true: (n, 1, y/8 - 2, x/8 - 2)."""
        logits: Tensor = self.model(torch.cat([condition, image], dim=1))
        return logits
