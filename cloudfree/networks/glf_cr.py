"""GLF-CR: SAR-enhanced cloud removal with global-local fusion, and the ablations of its paper.

Two streams of dense blocks, one for the optical image and one for the SAR, exchange what they
know twice in each block. Global fusion: attention inside windows of 8 x 8 pixels, where the
difference between SAR and optical attention corrects the optical one through a gate. Local
fusion: filters of 5 x 5 pixels, one for each pixel and channel, made from both streams, fit the
SAR features to the optical ones; gates decide what is taken over. The result is a correction that
is added to the cloudy image.

Paper: Xu, F., Shi, Y., Ebel, P., Yu, L., Xia, G.-S., Yang, W., Zhu, X. X. (2022). GLF-CR:
SAR-enhanced cloud removal with global-local fusion. ISPRS Journal of Photogrammetry and Remote
Sensing 192, 268-278. The published code and weights state no licence.

Shapes: optical (n, 13, y, x), SAR (n, 2, y, x), sides multiples of 16. The network works at half
of the resolution; in its parts ``y`` and ``x`` are sides there, multiples of 8.
Units: reflectance 0-1; backscatter scaled to 0-1 from -25..0 dB (VV) and -32.5..0 dB (VH). The
result is on the scale of the optical input and unbounded.

Training: L1, Adam with learning rate 1e-4 halved every 5 epochs, 30 epochs, patches of 128.

Features lie with the channels last in memory, so that convolutions can take them as images and
linear layers as tokens (n, y, x, channels) without copies. Filters are made and used one tap at a
time: the 25 together would be 25 times the size of the features.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks.shapes import Shapes, number_below

WINDOW = 8  # side of an attention window
SHIFT = 4  # every other layer attends in windows shifted by half of their side
FILTER = 5  # side of the filters of local fusion
LEAK = 0.1  # slope of the leaky activations that make the filters
MASKED = -1e4  # added to logits of tokens that must not meet; -100, as published, leaves denormals
SPECKLE = 7  # side of the median against speckle; the paper gives none


@dataclass(frozen=True)
class Parts:
    """What the network consists of; the SAR is a stream of its own, or bands, or not used."""

    sar: Literal["stream", "bands", "none"] = "stream"
    attention: bool = True
    global_fusion: bool = True
    dynamic_filter: bool = True
    despeckle: bool = False
    mask_sar: bool = True

    @property
    def streams(self) -> tuple[str, ...]:
        """The ends of the names of what each stream has for itself."""
        return ("", "_SAR") if self.sar == "stream" else ("",)


VARIANTS = {  # Table 2 of the paper, then its Table 3 and another paper's network
    "glf-cr": Parts(),
    "concat": Parts(sar="bands", global_fusion=False, dynamic_filter=False),
    "without-sar": Parts(sar="none", global_fusion=False, dynamic_filter=False),
    "without-stl": Parts(attention=False),
    "without-gf": Parts(global_fusion=False),
    "without-df": Parts(dynamic_filter=False),
    "despeckled-sar": Parts(dynamic_filter=False, despeckle=True),
    "cloud-attentive": Parts(mask_sar=False),
}


def window_tables() -> tuple[Tensor, Tensor]:
    """Row of the bias table for each query and key, (64, 64), and two masks, (2, 64, 64).

    After a shift, opposite borders of the tile meet in the middle of the last row and of the last
    column of windows. The first mask parts the halves above and below, the second left and right.
    """
    place = torch.arange(WINDOW**2)
    places = torch.stack([place // WINDOW, place % WINDOW])
    down, right = places[:, :, None] - places[:, None, :] + WINDOW - 1
    half = places < WINDOW - SHIFT
    return down * (2 * WINDOW - 1) + right, MASKED * (half[:, :, None] != half[:, None, :])


def split_windows(tokens: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value (n, y/8, x/8, heads, 64, depth) of tokens (n, y, x, 3 * channels)."""
    n, y, x, channels = tokens.shape
    depth = channels // (3 * heads)
    grid = tokens.reshape(n, y // WINDOW, WINDOW, x // WINDOW, WINDOW, 3, heads, depth)
    query, key, value = grid.permute(5, 0, 1, 3, 6, 2, 4, 7).flatten(5, 6).unbind(0)
    return query * depth**-0.5, key, value


def merge_windows(windows: Tensor) -> Tensor:
    """Tokens (n, y, x, channels) of (n, y/8, x/8, heads, 64, depth)."""
    n, rows, columns, heads, _, depth = windows.shape
    grid = windows.reshape(n, rows, columns, heads, WINDOW, WINDOW, depth)
    grid = grid.permute(0, 1, 4, 2, 5, 3, 6)
    return grid.reshape(n, rows * WINDOW, columns * WINDOW, heads * depth)


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


def despeckled(sar: Tensor) -> Tensor:
    """Median over 7 x 7 pixels of (n, bands, y, x); beyond the border, the border counts."""
    y, x = sar.shape[2:]
    padded = functional.pad(sar, [SPECKLE // 2] * 4, mode="replicate")
    places = product(range(SPECKLE), repeat=2)
    around = torch.stack([padded[:, :, dy : dy + y, dx : dx + x] for dy, dx in places])
    return around.topk(SPECKLE**2 // 2 + 1, dim=0).values[-1]


def conv3(channels: int, made: int) -> nn.Conv2d:
    """A 3 x 3 convolution that keeps the size."""
    return nn.Conv2d(channels, made, 3, padding=1)


class WindowAttention(nn.Module):
    """Self-attention inside windows; that of the SAR corrects the optical one through a gate."""

    bias_rows: Tensor
    masks: Tensor

    def __init__(self, channels: int, heads: int, parts: Parts) -> None:
        super().__init__()
        self.heads, self.parts = heads, parts
        table = torch.empty((2 * WINDOW - 1) ** 2, heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        for name, values in zip(("bias_rows", "masks"), window_tables(), strict=True):
            self.register_buffer(name, values, persistent=False)
        for stream in parts.streams:
            self.add_module(f"qkv{stream}", nn.Linear(channels, 3 * channels))
        if parts.global_fusion:
            self.attn_fuse_1x1conv = nn.Conv2d(heads, heads, 1)
        for stream in parts.streams:
            self.add_module(f"proj{stream}", nn.Linear(channels, channels))

    def forward(self, tokens: Sequence[Tensor], seams: tuple[bool, bool]) -> list[Tensor]:
        """What the tokens (n, y, x, channels) of each stream gather from their windows.

        ``seams`` tells whether opposite borders meet in the last row, and column, of windows.
        """
        bias = self.relative_position_bias_table[self.bias_rows].permute(2, 0, 1).contiguous()
        logits, values = [], []
        for stream, own in zip(self.parts.streams, tokens, strict=True):
            query, key, value = split_windows(self.get_submodule(f"qkv{stream}")(own), self.heads)
            logits.append((query @ key.transpose(-1, -2)).add_(bias))
            values.append(value)
        if self.parts.global_fusion:
            difference = logits[1] - logits[0]
            logits[0] = torch.addcmul(logits[0], difference, self._gate(difference))
        for own in logits if self.parts.mask_sar else logits[:1]:
            if seams[0]:
                own[:, -1] += self.masks[0]
            if seams[1]:
                own[:, :, -1] += self.masks[1]
        return [
            self.get_submodule(f"proj{stream}")(merge_windows(own.softmax(dim=-1) @ value))
            for stream, own, value in zip(self.parts.streams, logits, values, strict=True)
        ]

    def _gate(self, difference: Tensor) -> Tensor:
        """How much of the difference each head takes over, seeing that of all: 0 to 1."""
        weight, bias = self.attn_fuse_1x1conv.parameters()
        heads = difference.flatten(0, 2).flatten(2)
        mixed = torch.baddbmm(
            bias[:, None], weight[:, :, 0, 0].expand(heads.shape[0], -1, -1), heads
        )
        return mixed.sigmoid_().view_as(difference)


class DenseLayer(nn.Module):
    """Append ``growth`` channels to each stream: a convolution, then a transformer layer."""

    def __init__(
        self, channels: int, growth: int, heads: int, shift: int, drop: float, parts: Parts
    ) -> None:
        super().__init__()
        self.shift, self.drop, self.parts = shift, drop, parts
        for stream in parts.streams:
            convolution = nn.Sequential(conv3(channels, growth), nn.ReLU(inplace=True))
            self.add_module(f"conv{stream}", convolution)
        if not parts.attention:
            return
        self.attn = WindowAttention(growth, heads, parts)
        for stream in parts.streams:
            self.add_module(f"norm2{stream}", nn.LayerNorm(growth))
        for stream in parts.streams:
            widen, narrow = nn.Linear(growth, 2 * growth), nn.Linear(2 * growth, growth)
            mlp = nn.Sequential(OrderedDict(fc1=widen, gelu=nn.GELU(), fc2=narrow))
            self.add_module(f"mlp{stream}", mlp)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """(n, channels, y, x) of each stream to (n, channels + growth, y, x)."""
        streams = zip(self.parts.streams, features, strict=True)
        new = [self.get_submodule(f"conv{stream}")(own) for stream, own in streams]
        if self.parts.attention:
            tokens = self._transform([own.permute(0, 2, 3, 1) for own in new])
            new = [own.permute(0, 3, 1, 2) for own in tokens]
        return [torch.cat(pair, dim=1) for pair in zip(features, new, strict=True)]

    def _transform(self, tokens: Sequence[Tensor]) -> list[Tensor]:
        """The transformer layer on (n, y, x, growth)."""
        y, x = tokens[0].shape[1:3]
        shift = self.shift if min(y, x) > WINDOW else 0
        # The logits of one row of windows fit the cache of a CPU; a GPU and a compiler want all.
        whole = self.training or tokens[0].is_cuda or torch.compiler.is_compiling()
        height = y if whole else WINDOW
        rolled = [own.roll((-shift, -shift), (1, 2)) for own in tokens]
        shifted = [[own] if whole else torch.split(own, height, 1) for own in rolled]
        bands = []
        for number, band in enumerate(zip(*shifted, strict=True), start=1):
            bands.append(
                self._transform_band(band, (shift > 0 and number * height == y, shift > 0))
            )
        return [torch.cat(own, 1).roll((shift, shift), (1, 2)) for own in zip(*bands, strict=True)]

    def _transform_band(self, tokens: Sequence[Tensor], seams: tuple[bool, bool]) -> list[Tensor]:
        """Add attention, then two linear layers."""
        result = []
        attended = self.attn(tokens, seams)
        for stream, own, gathered in zip(self.parts.streams, tokens, attended, strict=True):
            norm, mlp = (self.get_submodule(f"{name}{stream}") for name in ("norm2", "mlp"))
            refined = own + self._dropped(gathered)
            result.append(refined + self._dropped(mlp(norm(refined))))
        return result

    def _dropped(self, change: Tensor) -> Tensor:
        """In training, leave out the change for some samples and weigh it up for the others."""
        if not self.training or self.drop == 0.0:
            return change
        kept = torch.empty_like(change[:, :1, :1, :1]).bernoulli_(1.0 - self.drop)
        return change * kept / (1.0 - self.drop)


class DenseBlock(nn.Module):
    """Dense layers, each fed with all that those before it made, added to the input."""

    def __init__(
        self, channels: int, growth: int, heads: int, drops: Sequence[float], parts: Parts
    ) -> None:
        super().__init__()
        self.streams = parts.streams
        self.convs = nn.Sequential()
        for layer, drop in enumerate(drops):
            width, shift = channels + layer * growth, SHIFT * (layer % 2)
            self.convs.append(DenseLayer(width, growth, heads, shift, drop, parts))
        for stream in parts.streams:
            self.add_module(f"LFF{stream}", conv3(channels + len(drops) * growth, channels))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Refine (n, channels, y, x) of each stream."""
        streams = zip(self.streams, features, self.convs(features), strict=True)
        return [own + self.get_submodule(f"LFF{stream}")(grown) for stream, own, grown in streams]


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
        tokens = hidden.permute(0, 2, 3, 1)
        for tap in range(FILTER**2):
            part = slice(tap, None, FILTER**2)
            made = functional.linear(tokens, weight[part, :, 0, 0], bias[part])
            yield functional.leaky_relu(made, LEAK, inplace=True).permute(0, 3, 1, 2)


class GlfCr(nn.Module):
    """Restore a cloudy tile with SAR; ``variant`` is a key of ``VARIANTS``.

    In training a transformer layer is left out for a share of the samples that grows with its
    depth, from 0 to ``drop``. ``opt_distribute_1x1conv`` of the last block is never used.
    """

    SIZE_MULTIPLE: int = 16
    IGNORED_KEYS: tuple[str, ...] = (r"\.attn_mask$", r"\.relative_position_index$")

    def __init__(
        self,
        variant: str = "glf-cr",
        channels: int = 96,
        blocks: int = 6,
        layers: int = 5,
        growth: int = 48,
        heads: int = 8,
        drop: float = 0.2,
        optical_bands: int = 13,
        sar_bands: int = 2,
    ) -> None:
        super().__init__()
        self.parts = parts = VARIANTS[variant]
        seen = (optical_bands + sar_bands * (parts.sar == "bands"), sar_bands)
        for stream, bands in zip(parts.streams, seen, strict=False):
            self.add_module(f"SFENet1{stream}", nn.Conv2d(4 * bands, channels, 5, padding=2))
            self.add_module(f"SFENet2{stream}", conv3(channels, channels))
        drops = [drop * layer / max(blocks * layers - 1, 1) for layer in range(blocks * layers)]
        self.RDBs = nn.ModuleList(
            DenseBlock(channels, growth, heads, drops[block * layers :][:layers], parts)
            for block in range(blocks)
        )
        if parts.dynamic_filter:
            self.DF = nn.ModuleList(DynamicFilter(channels) for _ in range(blocks))
        if parts.sar == "stream":
            gates = [nn.Conv2d(channels, channels, 1) for _ in range(2 * blocks)]
            self.sar_fuse_1x1conv = nn.ModuleList(gates[:blocks])
            self.opt_distribute_1x1conv = nn.ModuleList(gates[blocks:])
        one = nn.Conv2d(blocks * channels, channels, 1)
        self.GFF = nn.Sequential(one, conv3(channels, channels))
        self.UPNet = nn.Sequential(
            conv3(channels, 256), nn.PixelShuffle(2), conv3(64, optical_bands)
        )

    def forward(self, optical: Tensor, sar: Tensor | None = None) -> dict[str, Tensor]:
        """Restore ``optical`` (n, 13, y, x) with ``sar`` (n, 2, y, x): "image" (n, 13, y, x)."""
        shallow, features = self._shallow(self._seen(optical, sar))
        restored = []
        for block, dense in enumerate(self.RDBs):
            features = dense(features)
            if self.parts.sar == "stream":
                features = self._exchange(block, *features)
            restored.append(features[0])
        correction = self.UPNet(self.GFF(torch.cat(restored, dim=1)) + shallow)
        return {"image": optical + correction}

    def _seen(self, optical: Tensor, sar: Tensor | None) -> list[Tensor]:
        """What each stream sees."""
        if sar is None or self.parts.sar == "none":
            return [optical]
        sar = despeckled(sar) if self.parts.despeckle else sar
        return [optical, sar] if self.parts.sar == "stream" else [torch.cat([optical, sar], dim=1)]

    def _shallow(self, seen: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """First optical features, and second features of each stream: (n, channels, y, x)."""
        first, second = [], []
        for stream, image in zip(self.parts.streams, seen, strict=True):
            halved = functional.pixel_unshuffle(image, 2)
            halved = halved.contiguous(memory_format=torch.channels_last)
            first.append(self.get_submodule(f"SFENet1{stream}")(halved))
            second.append(self.get_submodule(f"SFENet2{stream}")(first[-1]))
        return first[0], second

    def _exchange(self, block: int, optical: Tensor, sar: Tensor) -> list[Tensor]:
        """Local fusion: (n, channels, y, x) of both streams, each with something of the other."""
        fitted = self.DF[block](optical, sar) if self.parts.dynamic_filter else sar
        taken = fitted - optical
        optical = torch.addcmul(optical, taken, self.sar_fuse_1x1conv[block](taken).sigmoid())
        given = optical - fitted
        gate = self.opt_distribute_1x1conv[block](given).sigmoid()
        return [optical, torch.addcmul(sar, given, gate)]


def settings_from(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "SFENet1.weight" not in shapes or "RDBs.0.LFF.weight" not in shapes:
        return None
    table = shapes.get("RDBs.0.convs.0.attn.relative_position_bias_table")
    # Despeckling and masks leave no tensors: of variants that share all, the first one is meant.
    variant = next(name for name, parts in VARIANTS.items() if parts == _parts(shapes))
    optical_bands, seen = shapes["UPNet.2.weight"][0], shapes["SFENet1.weight"][1] // 4
    stream = shapes.get("SFENet1_SAR.weight")
    return {
        "channels": shapes["SFENet1.weight"][0],
        "blocks": number_below(shapes, "RDBs."),
        "layers": number_below(shapes, "RDBs.0.convs."),
        "growth": shapes["RDBs.0.convs.0.conv.0.weight"][0],
        "optical_bands": optical_bands,
        "sar_bands": stream[1] // 4 if stream else seen - optical_bands,
        **({"heads": table[1]} if table else {}),
        **({"variant": variant} if variant != "glf-cr" else {}),
    }


def _parts(shapes: Shapes) -> Parts:
    """The parts that have tensors; without attention there is none to fuse."""
    seen, optical = shapes["SFENet1.weight"][1], 4 * shapes["UPNet.2.weight"][0]
    alone: Literal["bands", "none"] = "bands" if seen > optical else "none"
    attention = any(".attn." in key for key in shapes)
    return Parts(
        sar="stream" if "SFENet1_SAR.weight" in shapes else alone,
        attention=attention,
        global_fusion=not attention or any("attn_fuse_1x1conv" in key for key in shapes),
        dynamic_filter=number_below(shapes, "DF.") > 0,
    )
