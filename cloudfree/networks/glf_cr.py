"""GLF-CR: SAR-enhanced cloud removal with global-local fusion, and the ablations of its paper.

Two streams of dense blocks, one for the optical image and one for the SAR, exchange what they
know twice in each block. Global fusion: attention inside windows of 8 x 8 pixels, where the
difference between SAR and optical attention corrects the optical one through a gate
(window_attention.py). Local fusion: filters of 5 x 5 pixels, one for each pixel and channel, made
from both streams, fit the SAR features to the optical ones; gates decide what is taken over. The
result is a correction that is added to the cloudy image.

Paper: Xu, F., Shi, Y., Ebel, P., Yu, L., Xia, G.-S., Yang, W., Zhu, X. X. (2022). GLF-CR:
SAR-enhanced cloud removal with global-local fusion. ISPRS Journal of Photogrammetry and Remote
Sensing 192, 268-278. The published code and weights state no licence.

Text and code differ, and this is the code: its gates (equations 7 to 12) are 1 x 1 convolutions
and sigmoid, where the text writes convolutions and Softmax; the filters have another 1 x 1
convolution with a leaky activation.

Shapes: optical (n, 13, y, x), SAR (n, 2, y, x), sides multiples of 16. The network works at half
of the resolution; in its parts ``y`` and ``x`` are sides there, multiples of 8.
Units: reflectance 0-1; backscatter scaled to 0-1 from -25..0 dB (VV) and -32.5..0 dB (VH). The
result is on the scale of the optical input and unbounded.

Training: L1, Adam with learning rate 1e-4, 30 epochs, patches of 128; the rate halves every 5
epochs in the text, and first after 6 in the code.

Features (n, channels, y, x) lie with the channels last in memory, so that convolutions can take
them as images and linear layers as tokens (n, y, x, channels) without copies. Filters are made and
used one tap at a time: the 25 together would be 25 times the size of the features.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks import Shapes, number_below
from cloudfree.networks.arguments import Blocks, Bounds, Divides, SarBandsOrNone, Size
from cloudfree.networks.window_attention import (
    SHIFT,
    WINDOW,
    WindowAttention,
    merge_windows,
    split_windows,
)

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


SPECKLE = 7  # side of the median against speckle; the paper gives none


@dataclass(frozen=True)
class Parts:
    """What the network consists of; the SAR is a stream of its own, or bands, or not used.

    `printed` is the form that equations 5 to 10 of Cloud-Attentive print: the first convolutions
    with ReLU, layers normed before attention, local fusion by 1 x 1 convolutions, and the skip from
    the features that enter the first block (cloud_attentive.py).
    """

    sar: Literal["stream", "bands", "none"] = "stream"
    attention: bool = True
    global_fusion: bool = True
    dynamic_filter: bool = True
    despeckle: bool = False
    mask_sar: bool = True
    printed: bool = False

    @property
    def streams(self) -> tuple[str, ...]:
        """The ends of the names of what each stream has for itself."""
        return ("", "_SAR") if self.sar == "stream" else ("",)


Variant = Literal[
    "glf-cr", "concat", "without-sar", "without-stl", "without-gf", "without-df", "despeckled-sar",
    "cloud-attentive", "cloud-attentive-printed",
]  # fmt: skip
# Table 2 of the paper, then its Table 3, and another paper's network in both of its forms.
VARIANTS: Mapping[Variant, Parts] = {
    "glf-cr": Parts(),
    "concat": Parts(sar="bands", global_fusion=False, dynamic_filter=False),
    "without-sar": Parts(sar="none", global_fusion=False, dynamic_filter=False),
    "without-stl": Parts(attention=False),
    "without-gf": Parts(global_fusion=False),
    "without-df": Parts(dynamic_filter=False),
    "despeckled-sar": Parts(dynamic_filter=False, despeckle=True),
    "cloud-attentive": Parts(mask_sar=False),
    "cloud-attentive-printed": Parts(mask_sar=False, printed=True),
}


def despeckled(sar: Tensor) -> Tensor:
    """Median over 7 x 7 pixels of (n, bands, y, x); beyond the border, the border counts."""
    y, x = sar.shape[2:]
    padded = functional.pad(sar, [SPECKLE // 2] * 4, mode="replicate")
    places = product(range(SPECKLE), repeat=2)
    around = torch.stack([padded[:, :, dy : dy + y, dx : dx + x] for dy, dx in places])
    return around.topk(SPECKLE**2 // 2 + 1, dim=0).values[-1]


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
        self.attn = WindowAttention(
            growth, heads, parts.streams, parts.global_fusion, parts.mask_sar
        )
        for norm in ("norm1", "norm2") if parts.printed else ("norm2",):
            for stream in parts.streams:
                self.add_module(f"{norm}{stream}", nn.LayerNorm(growth))
        for stream in parts.streams:
            widen, narrow = nn.Linear(growth, 2 * growth), nn.Linear(2 * growth, growth)
            mlp = nn.Sequential(OrderedDict(fc1=widen, gelu=nn.GELU(), fc2=narrow))
            self.add_module(f"mlp{stream}", mlp)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """(n, channels, y, x) of each stream to (n, channels + growth, y, x)."""
        streams = zip(self.parts.streams, features, strict=True)
        new = [self.get_submodule(f"conv{stream}")(own) for stream, own in streams]
        if self.parts.attention:
            new = self._transform(new)
        return [torch.cat(pair, dim=1) for pair in zip(features, new, strict=True)]

    def _transform(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The transformer layer on (n, growth, y, x): attention, then two linear layers."""
        shift = self.shift if min(features[0].shape[2:]) > WINDOW else 0
        windows = [split_windows(own, shift) for own in features]
        attended = self.attn(self._normed(windows) if self.parts.printed else windows, shift > 0)
        result = []
        for stream, own, gathered in zip(self.parts.streams, windows, attended, strict=True):
            norm, mlp = (self.get_submodule(f"{name}{stream}") for name in ("norm2", "mlp"))
            refined = own + self._dropped(gathered)
            result.append(merge_windows(refined + self._dropped(mlp(norm(refined))), shift))
        return result

    def _normed(self, windows: Sequence[Tensor]) -> list[Tensor]:
        streams = zip(self.parts.streams, windows, strict=True)
        return [self.get_submodule(f"norm1{stream}")(own) for stream, own in streams]

    def _dropped(self, change: Tensor) -> Tensor:
        """In training, leave out the change for some samples and weigh it up for the others."""
        if not self.training or self.drop == 0.0:
            return change
        alone = [len(change)] + [1] * (change.dim() - 1)
        kept = change.new_empty(alone).bernoulli_(1.0 - self.drop)
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
            grown = channels + len(drops) * growth
            fusion = nn.Conv2d(grown, channels, 1) if parts.printed else conv3(grown, channels)
            self.add_module(f"LFF{stream}", fusion)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Refine (n, channels, y, x) of each stream."""
        streams = zip(self.streams, features, self.convs(features), strict=True)
        return [own + self.get_submodule(f"LFF{stream}")(grown) for stream, own, grown in streams]


class GlfCr(nn.Module):
    """Fill a cloudy tile with SAR; ``variant`` is a key of ``VARIANTS``.

    In training a transformer layer is left out for a share of the samples that grows with its
    depth, from 0 to ``drop``. ``opt_distribute_1x1conv`` of the last block is never used.
    """

    SIZE_MULTIPLE: int = 16
    FULL_PRECISION: tuple[str, ...] = ("UPNet.2",)
    IGNORED_KEYS: tuple[str, ...] = (r"\.attn_mask$", r"\.relative_position_index$")

    def __init__(
        self,
        variant: Variant = "glf-cr",
        channels: Size = 96,
        blocks: Blocks = 6,
        layers: Blocks = 5,
        growth: Size = 48,
        heads: Annotated[Size, Divides("growth")] = 8,
        drop: Annotated[float, Bounds(0, 1)] = 0.2,
        optical_bands: Size = 13,
        sar_bands: SarBandsOrNone = 2,
    ) -> None:
        super().__init__()
        self.parts = parts = VARIANTS[variant]
        if sar_bands == 0 and parts.sar != "none":
            raise ValueError(f"variant {variant} needs SAR")
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
        """Fill ``optical`` (n, 13, y, x) with ``sar`` (n, 2, y, x): "image" (n, 13, y, x)."""
        shallow, features = self._shallow(self._seen(optical, sar))
        outputs = []
        for block, dense in enumerate(self.RDBs):
            features = dense(features)
            if self.parts.sar == "stream":
                features = self._exchange(block, *features)
            outputs.append(features[0])
        correction = self.UPNet(self.GFF(torch.cat(outputs, dim=1)) + shallow)
        return {"image": optical + correction}

    def _seen(self, optical: Tensor, sar: Tensor | None) -> list[Tensor]:
        """What each stream sees."""
        if sar is None or self.parts.sar == "none":
            return [optical]
        sar = despeckled(sar) if self.parts.despeckle else sar
        return [optical, sar] if self.parts.sar == "stream" else [torch.cat([optical, sar], dim=1)]

    def _shallow(self, seen: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Optical features for the skip, and those of each stream: all (n, channels, y, x)."""
        first, second = [], []
        for stream, image in zip(self.parts.streams, seen, strict=True):
            halved = functional.pixel_unshuffle(image, 2)
            halved = halved.contiguous(memory_format=torch.channels_last)
            first.append(self._activated(self.get_submodule(f"SFENet1{stream}")(halved)))
            second.append(self._activated(self.get_submodule(f"SFENet2{stream}")(first[-1])))
        return (second if self.parts.printed else first)[0], second

    def _activated(self, features: Tensor) -> Tensor:
        return functional.relu(features) if self.parts.printed else features

    def _exchange(self, block: int, optical: Tensor, sar: Tensor) -> list[Tensor]:
        """Local fusion: (n, channels, y, x) of both streams, each with something of the other."""
        fitted = self.DF[block](optical, sar) if self.parts.dynamic_filter else sar
        taken = fitted - optical
        optical = torch.addcmul(optical, taken, self.sar_fuse_1x1conv[block](taken).sigmoid())
        given = optical - fitted
        gate = self.opt_distribute_1x1conv[block](given).sigmoid()
        return [optical, torch.addcmul(sar, given, gate)]


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    variant = infer_variant(shapes)
    if variant is None or variant == "cloud-attentive-printed":
        return None
    return infer_sizes(shapes) | ({"variant": variant} if variant != "glf-cr" else {})


def infer_variant(shapes: Shapes) -> Variant | None:
    """The variant with such tensors; None if it is another network.

    Despeckling and masks leave no tensors: of variants that share all, the first one is meant.
    """
    if "SFENet1.weight" not in shapes or "RDBs.0.LFF.weight" not in shapes:
        return None
    found = _parts(shapes)
    same = (name for name, parts in VARIANTS.items() if _with_tensors(parts) == found)
    return next(same, None)


def _with_tensors(parts: Parts) -> Parts:
    """The parts, without those that have no tensors of their own."""
    return replace(parts, despeckle=False, mask_sar=True)


def infer_sizes(shapes: Shapes) -> dict[str, Any]:
    """The other constructor arguments of a network with such tensors."""
    table = shapes.get("RDBs.0.convs.0.attn.relative_position_bias_table")
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
        printed="RDBs.0.convs.0.norm1.weight" in shapes,
    )
