"""Simulation-Fusion GAN once more, as plainly as its specification, both stages.

No dropout: a reference is for eval mode. Names of the tensors and shapes are those of the network
itself; the numbers in the names are places in the published list of layers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


def reflected(image: Tensor, rim: int) -> Tensor:
    return functional.pad(image, [rim] * 4, mode="reflect")


class ReferenceBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.ModuleDict(
            {
                "1": nn.Conv2d(channels, channels, 3, bias=False),
                "2": nn.BatchNorm2d(channels),
                "6": nn.Conv2d(channels, channels, 3, bias=False),
                "7": nn.BatchNorm2d(channels),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        layer = self.conv_block
        first = functional.relu(layer["2"](layer["1"](reflected(x, 1))))
        second: Tensor = layer["7"](layer["6"](reflected(first, 1)))
        return x + second


class ReferenceGenerator(nn.Module):
    """A ResNet of nine blocks; ``channels`` c, then 2c and 4c."""

    def __init__(self, bands_in: int, bands_out: int, c: int) -> None:
        super().__init__()
        again = {"stride": 2, "padding": 1, "bias": False}
        self.model = nn.ModuleDict(
            {
                "1": nn.Conv2d(bands_in, c, 7, bias=False),
                "2": nn.BatchNorm2d(c),
                "4": nn.Conv2d(c, 2 * c, 3, **again),
                "5": nn.BatchNorm2d(2 * c),
                "7": nn.Conv2d(2 * c, 4 * c, 3, **again),
                "8": nn.BatchNorm2d(4 * c),
                **{str(number): ReferenceBlock(4 * c) for number in range(10, 19)},
                "19": nn.ConvTranspose2d(4 * c, 2 * c, 3, output_padding=1, **again),
                "20": nn.BatchNorm2d(2 * c),
                "22": nn.ConvTranspose2d(2 * c, c, 3, output_padding=1, **again),
                "23": nn.BatchNorm2d(c),
                "26": nn.Conv2d(c, bands_out, 7),
            }
        )

    def forward(self, image: Tensor) -> Tensor:
        layer = self.model
        x = functional.relu(layer["2"](layer["1"](reflected(image, 3))))
        x = functional.relu(layer["5"](layer["4"](x)))
        x = functional.relu(layer["8"](layer["7"](x)))
        for number in range(10, 19):
            x = layer[str(number)](x)
        x = functional.relu(layer["20"](layer["19"](x)))
        x = functional.relu(layer["23"](layer["22"](x)))
        return torch.tanh(layer["26"](reflected(x, 3)))


class ReferenceSimulationFusionGan(nn.Module):
    """SAR to a simulated optical image; SAR, cloudy and simulated image to the filled one."""

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.simulation = ReferenceGenerator(2, 13, channels)
        self.fusion = ReferenceGenerator(2 + 13 + 13, 13, channels)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        simulated = self.simulation(sar)
        image = self.fusion(torch.cat([sar, optical, simulated], dim=1))
        return {"image": image, "simulated": simulated}
