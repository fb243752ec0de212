"""The U-Net of pix2pix once more, as plainly as its specification, for SAR-Opt-cGAN and SAR2OPT.

No dropout: a reference is for eval mode. Names of the tensors and shapes are those of the networks
themselves; the numbers in the names are places in the published list of layers.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def halving(channels: int, made: int) -> nn.Conv2d:
    return nn.Conv2d(channels, made, 4, stride=2, padding=1, bias=False)


def doubling(channels: int, made: int, bias: bool = False) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, made, 4, stride=2, padding=1, bias=bias)


class ReferenceInnermost(nn.Module):
    """Down without norm, up with norm; the input is put in front."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.ModuleDict(
            {
                "1": halving(channels, channels),
                "3": doubling(channels, channels),
                "4": nn.BatchNorm2d(channels),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.model["1"](functional.leaky_relu(x, 0.2))
        outer = self.model["4"](self.model["3"](functional.relu(inner)))
        return torch.cat([x, outer], dim=1)


class ReferenceLevel(nn.Module):
    """Down with norm, what is below, up with norm; the input is put in front."""

    def __init__(self, outer: int, inner: int, below: nn.Module) -> None:
        super().__init__()
        self.model = nn.ModuleDict(
            {
                "1": halving(outer, inner),
                "2": nn.BatchNorm2d(inner),
                "3": below,
                "5": doubling(2 * inner, outer),
                "6": nn.BatchNorm2d(outer),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.model["2"](self.model["1"](functional.leaky_relu(x, 0.2)))
        both = self.model["3"](inner)
        outer = self.model["6"](self.model["5"](functional.relu(both)))
        return torch.cat([x, outer], dim=1)


class ReferenceUNet(nn.Module):
    """Widths 64, 128, 256, 512 and 512 to the bottom, for ``channels`` 64."""

    def __init__(self, bands_in: int, bands_out: int, levels: int, channels: int) -> None:
        super().__init__()
        widths = [channels * min(2**level, 8) for level in range(levels)]
        ladder: nn.Module = ReferenceInnermost(widths[-1])
        for outer, inner in reversed(list(pairwise(widths[:-1]))):
            ladder = ReferenceLevel(outer, inner, ladder)
        self.model = nn.ModuleDict(
            {
                "0": halving(bands_in, channels),
                "1": ladder,
                "3": doubling(2 * channels, bands_out, bias=True),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        both = self.model["1"](self.model["0"](x))
        return torch.tanh(self.model["3"](functional.relu(both)))


class ReferenceSarOptCgan(nn.Module):
    def __init__(self, levels: int = 8, channels: int = 64) -> None:
        super().__init__()
        self.model = ReferenceUNet(13 + 2, 13, levels, channels)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        return {"image": self.model(torch.cat([optical, sar], dim=1))}


class ReferenceSar2Opt(nn.Module):
    def __init__(self, levels: int = 8, channels: int = 64) -> None:
        super().__init__()
        self.model = ReferenceUNet(2, 13, levels, channels)

    def forward(self, sar: Tensor) -> dict[str, Tensor]:
        return {"image": self.model(sar)}
