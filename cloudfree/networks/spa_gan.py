"""SpA GAN: residual blocks whose corrections are steered by a spatial attention map.

Paper: Pan, H. (2020). Cloud removal for remote sensing imagery via spatial attention generative
adversarial network. arXiv 2009.13015. Code and the two published weights (RICE1, RICE2): MIT.

Shapes: optical (n, bands, y, x), any size; no SAR. A pixel of the result depends on the 36 pixels
around it.
Units: the published weights take 8-bit blue, green, red divided by 255. The result is on the same
scale and unbounded (clip to 0..1). For Sentinel-2 13 bands of reflectance 0..1 go in and come out.

Of the published weights 44 % (RICE1) and 27 % (RICE2) are subnormal numbers: with zeros in their
place the result is the same and a CPU is up to eight times as fast.

No batch norm and no dropout in the generator: training and eval mode are the same.

Training: against ``SpaGanDiscriminator``; the softplus loss of the GAN + 100 * L1 + the mean square
between the attention map and the cloud mask.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks import Shapes
from cloudfree.networks.arguments import Size

BLOCKS_BEFORE, STAGES, BLOCKS_PER_STAGE, BLOCKS_AFTER = 3, 4, 3, 2
BLOCKS = BLOCKS_BEFORE + STAGES * BLOCKS_PER_STAGE + BLOCKS_AFTER
SLOPE = 0.2  # of the leaky ReLU in the discriminator


class Bottleneck(nn.Module):
    """The three convolutions of a residual block, without biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=2, dilation=2, bias=False)
        self.conv3 = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """The correction to (n, channels, y, x)."""
        hidden = functional.relu(self.conv1(features))
        hidden = functional.relu(self.conv2(hidden))
        correction: Tensor = self.conv3(hidden)
        return correction


class ResidualBlock(nn.Module):
    """Add a correction, weighted by the attention map where there is one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.group1 = Bottleneck(channels)

    def forward(self, features: Tensor, attention: Tensor | None = None) -> Tensor:
        """Refine (n, channels, y, x) with ``attention`` (n, 1, y, x)."""
        correction = self.group1(features)
        if attention is not None:
            correction = correction * attention
        return functional.relu(correction + features)


class DirectionalShift(nn.Module):
    """Add to each pixel its weighted neighbour, once for each of the four directions.

    A direction is named after the neighbour that the value comes from. Pixels at the border that
    have no such neighbour stay as they are.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.left_weight = nn.Conv2d(channels, channels, 1, groups=channels)
        self.right_weight = nn.Conv2d(channels, channels, 1, groups=channels)
        self.up_weight = nn.Conv2d(channels, channels, 1, groups=channels)
        self.down_weight = nn.Conv2d(channels, channels, 1, groups=channels)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(n, channels, y, x) to four of it: up, right, down, left."""
        up = functional.relu(self.up_weight(features)[:, :, :-1] + features[:, :, 1:])
        right = functional.relu(self.right_weight(features)[..., 1:] + features[..., :-1])
        down = functional.relu(self.down_weight(features)[:, :, 1:] + features[:, :, :-1])
        left = functional.relu(self.left_weight(features)[..., :-1] + features[..., 1:])
        return (
            torch.cat([features[:, :, :1], up], dim=2),
            torch.cat([right, features[..., -1:]], dim=3),
            torch.cat([down, features[:, :, -1:]], dim=2),
            torch.cat([features[..., :1], left], dim=3),
        )


class DirectionWeights(nn.Module):
    """One weight per pixel and direction."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(channels // 2, channels // 2, 3, padding=1)
        self.conv3 = nn.Conv2d(channels // 2, 4, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, y, x) to (n, 4, y, x), 0..1, in the order up, right, down, left."""
        hidden = functional.relu(self.conv1(features))
        hidden = functional.relu(self.conv2(hidden))
        return torch.sigmoid(self.conv3(hidden))


class SpatialAttention(nn.Module):
    """Where the image is to be changed, from what the features hold within two pixels.

    The published network computes the direction weights and discards them, so that
    ``attention_layer`` never influenced its weights; ``weigh_directions`` uses them. ``conv_in`` is
    in the published weights and has no effect in either case.
    """

    def __init__(self, channels: int, weigh_directions: bool) -> None:
        super().__init__()
        self.weigh_directions = weigh_directions
        self.irnn1 = DirectionalShift(channels)
        self.irnn2 = DirectionalShift(channels)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv1 = nn.Conv2d(channels, channels, 1)
        self.conv2 = nn.Conv2d(4 * channels, channels, 1)
        self.conv3 = nn.Conv2d(4 * channels, channels, 1)
        self.attention_layer = DirectionWeights(channels)
        self.conv_out = nn.Conv2d(channels, 1, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, y, x) to (n, 1, y, x), 0..1."""
        weights = self.attention_layer(features).split(1, dim=1) if self.weigh_directions else None
        hidden = self.conv2(self._joined(self.irnn1(self.conv1(features)), weights))
        hidden = self.conv3(self._joined(self.irnn2(hidden), weights))
        return torch.sigmoid(self.conv_out(functional.relu(hidden)))

    @staticmethod
    def _joined(directions: Iterable[Tensor], weights: Iterable[Tensor] | None) -> Tensor:
        if weights is not None:
            directions = [d * w for d, w in zip(directions, weights, strict=True)]
        return torch.cat(list(directions), dim=1)


class SpaGan(nn.Module):
    """Fill a tile under thin cloud from its optical bands alone."""

    SIZE_MULTIPLE: int = 1
    FULL_PRECISION: tuple[str, ...] = ("conv_out",)

    def __init__(
        self,
        optical_bands: Size = 3,
        output_bands: Size = 3,
        channels: Size = 32,
        weigh_directions: bool = False,
    ) -> None:
        super().__init__()
        self.conv_in = nn.Sequential(nn.Conv2d(optical_bands, channels, 3, padding=1, bias=False))
        self.SAM1 = SpatialAttention(channels, weigh_directions)  # shared by the four stages
        for number in range(1, BLOCKS + 1):
            self.add_module(f"res_block{number}", ResidualBlock(channels))
        self.conv_out = nn.Sequential(nn.Conv2d(channels, output_bands, 3, padding=1, bias=False))

    def forward(self, optical: Tensor) -> dict[str, Tensor]:
        """Fill ``optical``: "image" (n, output_bands, y, x), "attention" (n, 1, y, x), 0..1."""
        blocks = [self.get_submodule(f"res_block{number}") for number in range(1, BLOCKS + 1)]
        features = functional.relu(self.conv_in(optical))
        for block in blocks[:BLOCKS_BEFORE]:
            features = block(features)
        for first in range(BLOCKS_BEFORE, BLOCKS - BLOCKS_AFTER, BLOCKS_PER_STAGE):
            attention = self.SAM1(features)
            for block in blocks[first : first + BLOCKS_PER_STAGE]:
                features = block(features, attention)
        for block in blocks[-BLOCKS_AFTER:]:
            features = block(features)
        return {"image": self.conv_out(features), "attention": attention}


class SpaGanDiscriminator(nn.Module):
    """Separate predicted from true images, each together with its cloudy image; for training only.

    Each image enters through a stem of its own. Names of the parameters are ours.
    """

    def __init__(self, condition_bands: int = 3, image_bands: int = 3, channels: int = 32) -> None:
        super().__init__()
        self.condition_stem = self._stem(condition_bands, channels)
        self.image_stem = self._stem(image_bands, channels)
        self.judge = nn.Sequential(
            *self._step(2 * channels, 4 * channels),
            *self._step(4 * channels, 8 * channels),
            *self._step(8 * channels, 16 * channels),
            nn.Conv2d(16 * channels, 1, 3, padding=1),
        )

    @staticmethod
    def _stem(bands: int, channels: int) -> nn.Sequential:
        convolution = nn.Conv2d(bands, channels, 4, stride=2, padding=1)
        return nn.Sequential(convolution, nn.LeakyReLU(SLOPE))

    @staticmethod
    def _step(channels: int, wider: int) -> list[nn.Module]:
        convolution = nn.Conv2d(channels, wider, 4, stride=2, padding=1)
        return [convolution, nn.BatchNorm2d(wider), nn.LeakyReLU(SLOPE)]

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        """One logit per 16 pixels, positive where ``image`` looks true: (n, 1, y/16, x/16)."""
        seen = torch.cat([self.condition_stem(condition), self.image_stem(image)], dim=1)
        logits: Tensor = self.judge(seen)
        return logits


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "SAM1.conv_in.weight" not in shapes and "res_block1.group1.conv1.0.weight" not in shapes:
        return None
    channels, optical_bands = shapes["conv_in.0.weight"][:2]
    output_bands = shapes["conv_out.0.weight"][0]
    return {"optical_bands": optical_bands, "output_bands": output_bands, "channels": channels}
