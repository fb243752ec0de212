"""pix2pix: the U-Net with a skip at each level, and the PatchGAN that judges its images.

Both networks built on it, SAR-Opt-cGAN and SAR2OPT, are this U-Net with other input bands.

Paper: Isola, P., Zhu, J.-Y., Zhou, T., Efros, A. A. (2017). Image-to-image translation with
conditional adversarial networks. CVPR. Its code carries a BSD licence.

Shapes: (n, bands, y, x), ``y`` and ``x`` multiples of 2**levels: 256 with 8 levels (``unet_256``),
128 with 7 (``unet_128``). A pixel of the result depends on the 765 (381) pixels around it, and on
where it stands in the grid of multiples.
Units: whatever the input holds is to lie in -1..1; the output is a tanh, -1..1.

Batch norm and dropout: the paper keeps batch statistics and dropout at test time too, where the
dropout stands for the noise of the GAN. In eval mode, which is what this project uses, the result
is deterministic and does not depend on the batch.

The discriminator of SAR-Opt-cGAN, SAR2OPT, McGAN and of the second stage of the Simulation-Fusion
GAN.

Paper: Isola, P., Zhu, J.-Y., Zhou, T., Efros, A. A. (2017). Image-to-image translation with
conditional adversarial networks. CVPR. Its code carries a BSD licence.

Shapes: condition (n, c, y, x) and image (n, b, y, x) with c + b = ``bands``, 32 pixels a side or
more; one logit for each patch, a patch every 8 pixels: (n, 1, y/8 - 2, x/8 - 2).
Units: as the generator's.
"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import Bounds

WIDEST = 8  # the widths double up to this many times the first
SLOPE = 0.2  # of the leaky ReLU
DROPOUT = 0.5
PLAIN_LEVELS = 5  # outermost, innermost, and the three whose width changes: without dropout
MOST_LEVELS = 16  # halvings of a side of 65536 pixels
Levels = Annotated[int, Bounds(PLAIN_LEVELS, MOST_LEVELS + 1)]


class Pix2PixLevel(nn.Module):
    """One level down, the levels below it, one level up; the input is concatenated in front.

    ``below`` is the next level; the innermost one has none, and no norm on its way down.
    """

    def __init__(self, outer: int, inner: int, below: nn.Module | None, dropout: bool) -> None:
        super().__init__()
        down = [nn.LeakyReLU(SLOPE), nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=False)]
        middle = [] if below is None else [nn.BatchNorm2d(inner), below]
        returning = inner if below is None else 2 * inner
        up = [
            nn.ReLU(),
            nn.ConvTranspose2d(returning, outer, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outer),
        ]
        rest = [nn.Dropout(DROPOUT)] if dropout else []
        self.model = nn.Sequential(*down, *middle, *up, *rest)

    def forward(self, features: Tensor) -> Tensor:
        """(n, outer, y, x) to (n, 2 * outer, y, x), the input first."""
        return torch.cat([features, self.model(features)], dim=1)


class Pix2PixUNet(nn.Module):
    """The whole ladder, image to image; ``channels`` is the width after the first convolution."""

    def __init__(self, bands_in: int, bands_out: int, levels: int, channels: int) -> None:
        super().__init__()
        widest = WIDEST * channels
        ladder = Pix2PixLevel(widest, widest, below=None, dropout=False)
        for _ in range(levels - PLAIN_LEVELS):
            ladder = Pix2PixLevel(widest, widest, ladder, dropout=True)
        for width in (4 * channels, 2 * channels, channels):
            ladder = Pix2PixLevel(width, 2 * width, ladder, dropout=False)
        self.model = nn.Sequential(
            nn.Conv2d(bands_in, channels, 4, stride=2, padding=1, bias=False),
            ladder,
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, bands_out, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(n, bands_in, y, x) to (n, bands_out, y, x), -1..1."""
        made: Tensor = self.model(image)
        return made


def ladder_settings(shapes: Shapes, prefix: str) -> dict[str, int] | None:
    """Bands, levels and channels of the U-Net whose tensors begin with `prefix`; None if none."""
    first, last = f"{prefix}model.0.weight", f"{prefix}model.3.weight"
    if first not in shapes or last not in shapes:
        return None
    channels, bands_in = shapes[first][:2]
    # Each level but the outermost adds `model.N.` to the names; only the innermost has no norm
    # between its convolutions. Every level has one convolution on its way down, named ...model.1.
    levels = 1 + sum(key.endswith(".model.1.weight") for key in shapes)
    bands_out = shapes[last][1]
    return {"bands_in": bands_in, "bands_out": bands_out, "levels": levels, "channels": channels}


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
