"""The generator of SpA GAN once more, as plainly as its specification.

Names of the tensors and shapes are those of the network itself. Without effect, and here only for
their names: ``attention_layer`` and ``conv_in`` of the attention.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ReferenceBottleneck(nn.Module):
    """B: conv1 - ReLU - conv3 of dilation 2 - ReLU - conv1, no biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=2, dilation=2, bias=False)
        self.conv3 = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        result: Tensor = self.conv3(functional.relu(self.conv2(functional.relu(self.conv1(h)))))
        return result


class ReferenceBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.group1 = ReferenceBottleneck(channels)

    def forward(self, h: Tensor) -> Tensor:
        """B(h)."""
        result: Tensor = self.group1(h)
        return result


class ReferenceIrnn(nn.Module):
    """One step in each of four directions; what comes from no neighbour stays as it is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for direction in ("left", "right", "up", "down"):
            weight = nn.Conv2d(channels, channels, 1, groups=channels)
            self.add_module(f"{direction}_weight", weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, y, x) to (n, 4 * c, y, x): up, right, down, left."""
        up, right, down, left = x.clone(), x.clone(), x.clone(), x.clone()
        up[:, :, 1:] = functional.relu(self.weighted("up", x)[:, :, :-1] + x[:, :, 1:])
        right[:, :, :, :-1] = functional.relu(self.weighted("right", x)[..., 1:] + x[..., :-1])
        down[:, :, :-1] = functional.relu(self.weighted("down", x)[:, :, 1:] + x[:, :, :-1])
        left[:, :, :, 1:] = functional.relu(self.weighted("left", x)[..., :-1] + x[..., 1:])
        return torch.cat([up, right, down, left], dim=1)

    def weighted(self, direction: str, x: Tensor) -> Tensor:
        result: Tensor = self.get_submodule(f"{direction}_weight")(x)
        return result


class ReferenceAttention(nn.Module):
    """SAM: (n, c, y, x) to (n, 1, y, x), 0 to 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.attention_layer = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(channels, half, 3, padding=1),
                "conv2": nn.Conv2d(half, half, 3, padding=1),
                "conv3": nn.Conv2d(half, 4, 1),
            }
        )
        self.conv1 = nn.Conv2d(channels, channels, 1)
        self.irnn1 = ReferenceIrnn(channels)
        self.conv2 = nn.Conv2d(4 * channels, channels, 1)
        self.irnn2 = ReferenceIrnn(channels)
        self.conv3 = nn.Conv2d(4 * channels, channels, 1)
        self.conv_out = nn.Conv2d(channels, 1, 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        h = self.conv2(self.irnn1(self.conv1(h)))
        h = functional.relu(self.conv3(self.irnn2(h)))
        return torch.sigmoid(self.conv_out(h))


class ReferenceSpaGan(nn.Module):
    """3 blocks, four times attention and 3 blocks, 2 blocks."""

    def __init__(self, bands: int = 3, channels: int = 32) -> None:
        super().__init__()
        self.conv_in = nn.Sequential(nn.Conv2d(bands, channels, 3, padding=1, bias=False))
        for number in range(1, 18):
            self.add_module(f"res_block{number}", ReferenceBlock(channels))
        self.SAM1 = ReferenceAttention(channels)
        self.conv_out = nn.Sequential(nn.Conv2d(channels, bands, 3, padding=1, bias=False))

    def forward(self, optical: Tensor) -> dict[str, Tensor]:
        h = functional.relu(self.conv_in(optical))
        for number in (1, 2, 3):
            h = functional.relu(self.b(number, h) + h)
        for numbers in ((4, 5, 6), (7, 8, 9), (10, 11, 12), (13, 14, 15)):
            a = self.SAM1(h)
            for number in numbers:
                h = functional.relu(self.b(number, h) * a + h)
        for number in (16, 17):
            h = functional.relu(self.b(number, h) + h)
        return {"image": self.conv_out(h), "attention": a}

    def b(self, number: int, h: Tensor) -> Tensor:
        result: Tensor = self.get_submodule(f"res_block{number}")(h)
        return result
