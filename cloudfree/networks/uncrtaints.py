"""UnCRtainTS: fills a tile from one date or several and estimates how uncertain each value is.

Paper: Ebel, P., Garnot, V. S. F., Schmitt, M., Wegner, J. D., Zhu, X. X. (2023). UnCRtainTS:
Uncertainty quantification for cloud removal in optical satellite time series. CVPR Workshops.
The headers of the published code say MIT; its repository holds no licence.

Shapes: one date: optical (n, 13, y, x), SAR (n, 2, y, x), sides of 2 pixels or more. Several
dates: optical (n, t, 13, y, x), SAR (n, t, 2, y, x), dates (n, t), sides of 32 pixels or more; a
model of several dates is fed multiples of 32, for which its ONNX file is right.
Group norm and squeeze-and-excitation look at the whole tile: the result depends on the size of
the tile, and no overlap makes tiles bit-identical to the whole scene.
Units: reflectance 0..1; backscatter scaled to 0..1 from -25..0 dB, VV and VH alike; dates in days
since 3 April 2014, the mean of the optical and the SAR date. The image is reflectance 0..1, the
variance its square. Inside, everything is ``scale_by`` times as large; published checkpoints have
it in their conf.json. A date whose channels are zero everywhere stands for no date.

With several dates three biases have no influence, because the softmax over time takes no notice of
what all dates share: ``temporal_encoder`` ``inconv.bias``, ``in_norm.bias`` and
``attention_heads.fc1_k.bias``. With several dates but one given, the whole ``temporal_encoder``
has none, and the network is that for one date.

Older checkpoints name the blocks ``in_block1`` and ``out_block1`` to ``out_block5``.

Training: multivariate Gaussian negative log-likelihood (or L2 without variance), Adam with
learning rate 1e-3, patches of 256.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks import Shapes, number_below
from cloudfree.networks.arguments import Bounds, Count, SarBandsOrNone, Size

GROUPS = 4  # of the group norms on image features
EXPANSION = 2  # of the channels inside an inverted bottleneck
SQUEEZE = 4  # squeeze-and-excitation passes through 1/4 of the width
COARSE = 32  # side of the features that the attention over time is computed from
TIME_GROUPS = 16  # of the group norm over channels and dates
TIME_BASE = 1000.0  # the wavelengths that encode a date reach from 1 to almost 1000 times 2 pi days
PADDING_LOGIT = -1000.0  # of a date that is not there
ATTENTION_DROPOUT = 0.1

Norm = Callable[[int], nn.Module]


def group_norm(channels: int) -> nn.Module:
    """The norm in front of the attention over time."""
    return nn.GroupNorm(GROUPS, channels)


def batch_norm(channels: int) -> nn.Module:
    """The norm behind it."""
    return nn.BatchNorm2d(channels)


def named(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, with names instead of numbers."""
    return nn.Sequential(OrderedDict(layers))


def pixel_layer(channels: int, width: int, *after: nn.Module) -> nn.Sequential:
    """A layer that treats each pixel by itself."""
    return named(conv=named(conv=nn.Sequential(nn.Conv2d(channels, width, 1), *after)))


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what the mean of all channels says."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, squeezed, bias=False),
            nn.GELU(),
            nn.Linear(squeezed, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Weigh (n, channels, y, x)."""
        weights: Tensor = self.fc(features.mean(dim=(2, 3)))
        return features * weights[:, :, None, None]


class InvertedBottleneck(nn.Module):
    """Wide and depthwise in the middle, added to its input (MBConv)."""

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        inner = EXPANSION * width
        layers = nn.Sequential(
            nn.Conv2d(width, inner, 1, bias=False),
            norm(inner),
            nn.GELU(),
            nn.Conv2d(inner, inner, 3, padding=1, padding_mode="reflect", groups=inner, bias=False),
            norm(inner),
            nn.GELU(),
            SqueezeExcitation(inner, width // SQUEEZE),
            nn.Conv2d(inner, width, 1, bias=False),
            norm(width),
        )
        self.conv = named(norm=norm(width), fn=layers)

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, width, y, x)."""
        refined: Tensor = features + self.conv(features)
        return refined


class ResidualBlock(nn.Module):
    """Three plain convolutions, added to their input."""

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.conv1 = self._layer(width, norm)
        self.conv2 = self._layer(width, norm)
        self.conv3 = self._layer(width, norm)

    @staticmethod
    def _layer(width: int, norm: Norm) -> nn.Sequential:
        convolution = nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect")
        return named(conv=nn.Sequential(convolution, norm(width), nn.ReLU()))

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, width, y, x)."""
        refined: Tensor = features + self.conv3(self.conv2(self.conv1(features)))
        return refined


BLOCKS = {"mbconv": InvertedBottleneck, "residual": ResidualBlock}


def coarsen(features: Tensor) -> Tensor:
    """The largest values in each of 32 x 32 parts: (n, width, y, x) to (n, width, 32, 32)."""
    n, width, y, x = features.shape
    if y % COARSE or x % COARSE:
        return functional.adaptive_max_pool2d(features, COARSE)
    # The same, which ONNX has for any size.
    parts = features.reshape(n, width, COARSE, y // COARSE, COARSE, x // COARSE)
    return parts.amax(dim=(3, 5))


class TimeHeads(nn.Module):
    """Heads that each ask one learned question of every date."""

    def __init__(self, channels: int, heads: int, depth: int) -> None:
        super().__init__()
        self.Q = nn.Parameter(torch.randn(heads, depth) * depth**-0.5)
        self.fc1_k = nn.Linear(channels, heads * depth)

    def forward(self, described: Tensor) -> Tensor:
        """Logits (pixels, t, heads) of (pixels, t, channels)."""
        heads, depth = self.Q.shape
        keys = self.fc1_k(described).unflatten(2, (heads, depth))  # (pixels, t, heads, depth)
        logits: Tensor = (keys * self.Q).sum(dim=3) * depth**-0.5
        return logits


class TemporalEncoder(nn.Module):
    """Decide, per pixel and head, how much each date counts (a lightweight temporal attention)."""

    def __init__(self, width: int, channels: int, heads: int, depth: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads, self.channels = heads, channels
        self.inconv = nn.Conv1d(width, channels, 1)
        self.attention_heads = TimeHeads(channels, heads, depth)
        self.in_norm = nn.GroupNorm(TIME_GROUPS, width)

    def forward(self, features: Tensor, dates: Tensor, absent: Tensor) -> Tensor:
        """Shares of the dates, (n, t, heads, y, x), that sum to 1 over time.

        Shapes: ``features`` (n, t, width, y, x), ``dates`` (n, t) in days, ``absent`` (n, t).
        """
        n, t, width, y, x = features.shape
        series = features.permute(0, 3, 4, 2, 1).reshape(n * y * x, width, t)
        described = self.inconv(self.in_norm(series)).transpose(1, 2)  # (n*y*x, t, channels)
        described = described.reshape(n, y * x, t, -1) + self._encode(dates).unsqueeze(1)
        logits: Tensor = self.attention_heads(described.reshape(n * y * x, t, -1))
        logits = logits.reshape(n, y, x, t, self.heads).permute(0, 3, 4, 1, 2)
        logits = logits.masked_fill(absent[:, :, None, None, None], PADDING_LOGIT)
        return torch.softmax(logits, dim=1)

    def _encode(self, dates: Tensor) -> Tensor:
        """Sines and cosines of dates (n, t): (n, t, channels), the same for every head."""
        size = self.channels // self.heads
        place = torch.arange(size, device=dates.device)
        wavelength = TIME_BASE ** (2 * torch.div(place, 2, rounding_mode="floor") / size)
        angle = dates.unsqueeze(2) / wavelength
        return torch.where(place % 2 == 0, angle.sin(), angle.cos()).repeat(1, 1, self.heads)


class UnCRtainTS(nn.Module):
    """Fill a tile from one date, or with ``multi_date`` from several.

    With ``variance`` it also predicts the variance of each value; ``block`` is "mbconv" or
    "residual"; ``sar_bands`` = 0 goes without SAR.
    """

    SIZE_MULTIPLE: int = 1
    FULL_PRECISION: tuple[str, ...] = ("out_conv",)
    SIDECAR_SETTINGS: tuple[str, ...] = ("scale_by",)
    SIDECAR_FIXED: tuple[tuple[str, bool], ...] = (("mean_nonLinearity", True),)
    RENAMED_KEYS: tuple[tuple[str, str], ...] = (
        (r"^in_block1\.", "in_block.0."),
        *((rf"^out_block{number}\.", f"out_block.{number - 1}.") for number in range(1, 6)),
    )

    def __init__(
        self,
        multi_date: bool = False,
        variance: bool = True,
        block: Literal["mbconv", "residual"] = "mbconv",
        scale_by: Annotated[float, Bounds(1e-6, 1e6)] = 10.0,
        width: Size = 128,
        blocks: Count = 5,
        heads: Size = 16,
        optical_bands: Size = 13,
        sar_bands: SarBandsOrNone = 2,
    ) -> None:
        super().__init__()
        self.variance, self.scale_by = variance, scale_by
        bands = optical_bands * (2 if variance else 1)
        self.in_conv = pixel_layer(optical_bands + sar_bands, width, group_norm(width), nn.ReLU())
        self.in_block = nn.ModuleList([BLOCKS[block](width, group_norm)])
        if multi_date:
            self.temporal_encoder = TemporalEncoder(width, 2 * width, heads, depth=4)
            self.SIZE_MULTIPLE = COARSE
        self.out_block = nn.ModuleList([BLOCKS[block](width, batch_norm) for _ in range(blocks)])
        self.out_conv = pixel_layer(width, bands)

    def forward(
        self, optical: Tensor, sar: Tensor | None = None, dates: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Fill: "image" (n, 13, y, x), "variance" the same, "attention" (n, t, heads, 32, 32).

        Without ``dates`` the inputs are of one date and have no dimension of time; a network for
        several dates takes them too.
        """
        seen = optical if sar is None else torch.cat([sar, optical], dim=-3)
        result = {}
        if dates is None:
            features = self._describe(seen)
        else:
            features, result["attention"] = self._join_dates(seen, dates)
        for block in self.out_block:
            features = block(features)
        mean, *spread = self.out_conv(features).split(optical.shape[-3], dim=1)
        result["image"] = torch.sigmoid(mean)
        if self.variance:
            smallest = 1e-9 if self.scale_by == 1 else 1e-3
            result["variance"] = (functional.softplus(spread[0]) + smallest) / self.scale_by**2
        return result

    def _describe(self, seen: Tensor) -> Tensor:
        """Features (n, width, y, x) of single dates (n, bands, y, x)."""
        # A CPU convolves faster with the channels last in memory.
        scaled = (seen * self.scale_by).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.in_block[0](self.in_conv(scaled))
        return features

    def _join_dates(self, seen: Tensor, dates: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, width, y, x) of dates (n, t, bands, y, x), and the attention they got."""
        n, t, _, y, x = seen.shape
        absent = (seen == 0).flatten(2).all(dim=2)  # (n, t)
        present = (~absent)[:, :, None, None, None].to(seen.dtype)
        features = self._describe(seen.flatten(0, 1)).reshape(n, t, -1, y, x) * present
        coarse = coarsen(features.flatten(0, 1)).reshape(n, t, -1, COARSE, COARSE)
        attention = self.temporal_encoder(coarse, dates, absent)  # (n, t, heads, 32, 32)
        attention = attention * present  # matters where a tile has no date at all
        heads = attention.shape[2]
        share = functional.interpolate(attention.flatten(0, 1), size=(y, x), mode="bilinear")
        share = functional.dropout(share, ATTENTION_DROPOUT, self.training)
        by_head = features.reshape(n, t, heads, -1, y, x) * share.reshape(n, t, heads, 1, y, x)
        joined = by_head.sum(dim=1).flatten(1, 2)
        # The blocks behind are slow where what they add lies in memory in two ways.
        return joined.contiguous(memory_format=torch.channels_last), attention


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "in_conv.conv.conv.0.weight" not in shapes or "out_conv.conv.conv.0.weight" not in shapes:
        return None
    width, seen = shapes["in_conv.conv.conv.0.weight"][:2]
    predicted = shapes["out_conv.conv.conv.0.weight"][0]
    # Variances come with the means, as many as there are bands; 13 means are no 6.5 of each.
    variance = predicted > seen
    optical_bands = predicted // 2 if variance else predicted
    heads = shapes.get("temporal_encoder.attention_heads.Q")
    return {
        "multi_date": heads is not None,
        "variance": variance,
        "block": "mbconv" if "in_block.0.conv.fn.0.weight" in shapes else "residual",
        "scale_by": 10.0 if variance else 1.0,  # of the published training; conf.json has it
        "width": width,
        "blocks": number_below(shapes, "out_block."),
        "optical_bands": optical_bands,
        "sar_bands": seen - optical_bands,
        **({"heads": heads[0]} if heads else {}),
    }
