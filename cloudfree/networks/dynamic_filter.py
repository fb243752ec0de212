"""Filters of 5 x 5 pixels, one for each pixel and channel, that a network makes and then applies.

They are made and used one tap at a time: the 25 together would be 25 times the size of the
features. Features are (n, channels, y, x), best with the channels last in memory.
"""

from collections.abc import Iterable, Iterator
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

FILTER = 5  # side of the filters
LEAK = 0.1  # slope of the leaky activations that make the filters


def adaptive_filter(features: Tensor, taps: Iterable[Tensor]) -> Tensor:
    """Filter each pixel and channel of (n, channels, y, x) with 5 x 5 weights of its own.

    ``taps`` are 25 times (n, channels, y, x), the weights of the 5 x 5 pixels around, row by row.
    Beyond the border the features of the border count.
    """
    y, x = features.shape[2:]
    padded = functional.pad(features, [FILTER // 2] * 4, mode="replicate")
    result = torch.zeros_like(features)
    for (dy, dx), tap in zip(product(range(FILTER), repeat=2), taps, strict=True):
        result.addcmul_(padded[:, :, dy : dy + y, dx : dx + x], tap)
    return result


def conv3(channels: int, made: int) -> nn.Conv2d:
    """A 3 x 3 convolution that keeps the size."""
    return nn.Conv2d(channels, made, 3, padding=1)


class ResidualBlock(nn.Module):
    """Two convolutions added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        activation = nn.LeakyReLU(LEAK, inplace=True)
        self.stem = nn.Sequential(conv3(channels, channels), activation, conv3(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, channels, y, x)."""
        return torch.add(features, self.stem(features))


class DynamicFilter(nn.Module):
    """Make filters from both streams and pass the SAR features through them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fac_warp = nn.Sequential(
            nn.Sequential(conv3(2 * channels, channels), nn.LeakyReLU(LEAK, inplace=True)),
            ResidualBlock(channels),
            ResidualBlock(channels),
            nn.Sequential(nn.Conv2d(channels, channels * FILTER**2, 1)),  # used by _taps
        )

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Fit ``sar`` to ``optical``, both (n, channels, y, x)."""
        hidden = self.fac_warp[:-1](torch.cat([optical, sar], dim=1))
        return adaptive_filter(sar, self._taps(hidden))

    def _taps(self, hidden: Tensor) -> Iterator[Tensor]:
        """The filters, by a part of the last convolution for each tap."""
        weight, bias = self.fac_warp[-1].parameters()  # the 25 taps of one channel, then the next
        weights = weight.view(-1, FILTER**2, weight.shape[1]).transpose(0, 1).contiguous()
        biases = bias.view(-1, FILTER**2).t().contiguous()
        tokens = hidden.permute(0, 2, 3, 1)
        for own, offset in zip(weights, biases, strict=True):
            made = functional.linear(tokens, own, offset)
            yield functional.leaky_relu(made, LEAK, inplace=True).permute(0, 3, 1, 2)
