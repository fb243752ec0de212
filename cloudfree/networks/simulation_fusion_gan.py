"""Simulation-Fusion GAN: simulate the optical image from SAR, then fuse it with the cloudy one.

Two ResNet generators of pix2pix behind one forward: the first turns the SAR image into a simulated
optical image, the second fuses SAR, cloudy and simulated image.

Paper: Gao, J., Yuan, Q., Li, J., Zhang, H., Su, X. (2020). Cloud removal with fusion of high
resolution optical and SAR images using generative adversarial networks. Remote Sensing 12(1), 191.
The published code states no licence (derived from pix2pix, BSD); it works on three-band pictures,
the bands here are those of Sentinel.

Shapes: optical (n, 13, y, x), SAR (n, 2, y, x), ``y`` and ``x`` multiples of 4 and at least 8. A
pixel of the result depends on the 84 pixels around it of the optical and the 168 of the SAR image,
and on where it stands in the grid of multiples of 4.
Units: optical, SAR, simulated and filled image -1..1.

Batch norm and dropout: the published test never leaves training mode, so batch statistics and
dropout of a half are active there. In eval mode, which is what this project uses, the result is
deterministic and does not depend on the batch. The published code also renormalises the simulated
image with random figures and shuffles its bands before the fusion, in training and test; here it
is passed on as it is.

Training: the first stage by itself with L1; the second against ``PatchGan`` on its input and
image: 1e-4 * GAN + 10 * L1 + 10 * masked L1 + 0.8 * VGG features.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import SarBands, Size

DROPOUT = 0.5
BLOCKS = 9


class ResnetBlock(nn.Module):
    """Two 3 x 3 convolutions added to their input, nothing after the sum."""

    def __init__(self, channels: int, dropout: bool) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *([nn.Dropout(DROPOUT)] if dropout else []),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, channels, y, x)."""
        refined: Tensor = features + self.conv_block(features)
        return refined


class ResnetGenerator(nn.Module):
    """From image to image, with the residual blocks at 1/4 of the resolution.

    Weights trained without ``dropout`` count the layers of a block differently.
    """

    def __init__(self, bands_in: int, bands_out: int, channels: int, dropout: bool = True) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(bands_in, channels, 7, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *self._down(channels),
            *self._down(2 * channels),
            *[ResnetBlock(4 * channels, dropout) for _ in range(BLOCKS)],
            *self._up(4 * channels),
            *self._up(2 * channels),
            nn.ReflectionPad2d(3),
            nn.Conv2d(channels, bands_out, 7),
            nn.Tanh(),
        )

    @staticmethod
    def _down(channels: int) -> list[nn.Module]:
        convolution = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(2 * channels), nn.ReLU()]

    @staticmethod
    def _up(channels: int) -> list[nn.Module]:
        half = channels // 2
        convolution = nn.ConvTranspose2d(
            channels, half, 3, stride=2, padding=1, output_padding=1, bias=False
        )
        return [convolution, nn.BatchNorm2d(half), nn.ReLU()]

    def forward(self, image: Tensor) -> Tensor:
        """(n, bands_in, y, x) to (n, bands_out, y, x), -1..1."""
        # A CPU convolves faster with the channels last in memory.
        made: Tensor = self.model(image.contiguous(memory_format=torch.channels_last))
        return made


class SimulationFusionGan(nn.Module):
    """Fill a cloudy tile in two stages.

    The published weights are two files, each with the keys of one ``ResnetGenerator``: the first
    belongs under ``simulation.``, the second under ``fusion.``.
    """

    SIZE_MULTIPLE: int = 4
    FULL_PRECISION: tuple[str, ...] = ("simulation.model.26", "fusion.model.26")

    def __init__(
        self,
        optical_bands: Size = 13,
        sar_bands: SarBands = 2,
        channels: Size = 64,
        dropout: bool = True,
    ) -> None:
        super().__init__()
        self.simulation = ResnetGenerator(sar_bands, optical_bands, channels, dropout)
        fused_bands = sar_bands + 2 * optical_bands
        self.fusion = ResnetGenerator(fused_bands, optical_bands, channels, dropout)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        """Fill ``optical``: "image" and "simulated" (n, optical_bands, y, x), -1..1."""
        simulated = self.simulation(sar)
        image = self.fusion(torch.cat([sar, optical, simulated], dim=1))
        return {"image": image, "simulated": simulated}


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "simulation.model.1.weight" not in shapes or "fusion.model.1.weight" not in shapes:
        return None
    channels, sar_bands = shapes["simulation.model.1.weight"][:2]
    return {
        "optical_bands": shapes["simulation.model.26.weight"][0],
        "sar_bands": sar_bands,
        "channels": channels,
        "dropout": "fusion.model.10.conv_block.7.weight" in shapes,
    }
