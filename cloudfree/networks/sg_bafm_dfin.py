"""SG-BAFM + DFIN: SAR-guided attention between patches, then the stronger of two branches.

One branch looks at optical and SAR bands together at full resolution. The other looks at each by
itself at half the resolution, where SAR decides which optical patches speak to each other: the
SAR-guided bimodal attention fusion module (SG-BAFM). The deep feature integration network (DFIN)
refines both at three scales and takes the stronger answer.

Paper: "SAR-guided cloud removal network based on attention fusion", a letter in Chinese. Widths and
the form of the layers are our design after its equations. No code or weights are published. The
ablations of the letter are ``attention_fusion`` (SG-BAFM) and ``branch_integration`` (DFIN) set to
False; with both off it is the base model.

Shapes: optical (n, 13, y, x), sar (n, 2, y, x); y and x multiples of 16. Attention and channel
weights see the whole tile, so a pixel depends on all others.
Units: optical reflectance 0..1; sar VV from -25..0 dB and VH from -32.5..0 dB, clipped, to 0..1.
The result is on the scale of the optical input and unbounded.

The biases of the keys never influence the output: they add the same to all logits of a query. Those
of the convolutions before a batch norm do not in training mode, where the norm subtracts them.
"""

from typing import Annotated, Any

import torch
from torch import Tensor, cat, nn
from torch.nn import functional

from cloudfree.networks import Shapes, number_below
from cloudfree.networks.arguments import MOST_CHANNELS, Bounds, Count, Divides, SarBands, Size

PATCH = 8  # pixels at half the resolution, 16 of the image
EXPANSION, LAST_EXPANSION, MLP_EXPANSION = 4, 2, 4
SQUEEZE, ATTENTION_SQUEEZE = 4, 8  # how much thinner the hidden layers on pooled features are


class MbConv(nn.Module):
    """Inverted residual block with channel weights; a 1 x 1 shortcut where the width changes."""

    def __init__(
        self, channels: int, results: int | None = None, expansion: int = EXPANSION
    ) -> None:
        super().__init__()
        results = results or channels
        wide, squeezed = expansion * channels, channels // SQUEEZE
        self.widen = nn.Conv2d(channels, wide, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(wide)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.norm2 = nn.BatchNorm2d(wide)
        self.squeeze = nn.Conv2d(wide, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, wide, 1)
        self.narrow = nn.Conv2d(wide, results, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(results)
        same = results == channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, results, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, y, x) to (n, results, y, x)."""
        hidden = functional.silu(self.norm1(self.widen(features)))
        hidden = functional.silu(self.norm2(self.depthwise(hidden)))
        weights = self.excite(functional.silu(self.squeeze(pooled(hidden))))
        refined = self.norm3(self.narrow(hidden * torch.sigmoid(weights)))
        added: Tensor = self.shortcut(features) + refined
        return added


def pooled(features: Tensor) -> Tensor:
    """Average over the tile: (n, channels, y, x) to (n, channels, 1, 1)."""
    return features.mean(dim=(2, 3), keepdim=True)


def half_resolution(bands: int, channels: int) -> nn.Sequential:
    """Features of one modality: (n, bands, y, x) to (n, channels, y/2, x/2)."""
    return nn.Sequential(
        nn.Conv2d(bands, channels, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
    )


class GuidedLayer(nn.Module):
    """Attention over optical tokens, with weights from SAR."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, MLP_EXPANSION * channels),
            nn.GELU(),
            nn.Linear(MLP_EXPANSION * channels, channels),
        )

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Refine ``optical`` (n, tokens, channels) by ``sar`` of the same shape."""
        query, key = self._headed(self.query(sar)), self._headed(self.key(sar))
        gathered = functional.scaled_dot_product_attention(
            query, key, self._headed(self.value(optical))
        )
        optical = optical + self.out(gathered.transpose(1, 2).flatten(2))
        refined: Tensor = optical + self.mlp(self.norm(optical))
        return refined

    def _headed(self, tokens: Tensor) -> Tensor:
        n, number, channels = tokens.shape
        split = tokens.reshape(n, number, self.heads, channels // self.heads)
        return split.transpose(1, 2)  # (n, heads, tokens, depth)


class AttentionFusion(nn.Module):
    """SG-BAFM: correct SAR by optical features, then steer the optical ones by SAR."""

    def __init__(self, channels: int, token_channels: int, heads: int, layers: int) -> None:
        super().__init__()
        self.of_optical = nn.Conv2d(channels, channels, 1)
        self.of_sar = nn.Conv2d(channels, channels, 1)
        self.agree = nn.Conv2d(2 * channels, channels, 1)
        self.optical_tokens = nn.Conv2d(channels, token_channels, PATCH, stride=PATCH)
        self.sar_tokens = nn.Conv2d(channels, token_channels, PATCH, stride=PATCH)
        self.position = nn.Conv2d(
            token_channels, token_channels, 3, padding=1, groups=token_channels, bias=False
        )
        self.layers = nn.ModuleList(GuidedLayer(token_channels, heads) for _ in range(layers))
        self.spread = nn.ConvTranspose2d(token_channels, channels, PATCH, stride=PATCH)
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Fuse two (n, channels, y, x), y and x multiples of ``PATCH``, to one."""
        both = cat([self.of_optical(optical), self.of_sar(sar)], dim=1)
        sar = sar * torch.sigmoid(self.agree(both))
        steering = self.sar_tokens(sar)
        steering = (steering + self.position(steering)).flatten(2).transpose(1, 2)
        grid = self.optical_tokens(optical)  # (n, token_channels, y/8, x/8)
        tokens = grid.flatten(2).transpose(1, 2)
        for layer in self.layers:
            tokens = layer(tokens, steering)
        spread = self.spread(tokens.transpose(1, 2).reshape(grid.shape))
        fused: Tensor = self.join(cat([spread, sar], dim=1))
        return fused


class Concatenation(nn.Module):
    """What the ablations have in the place of SG-BAFM and of DFIN."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Fuse two (n, channels, y, x) to one."""
        fused: Tensor = self.join(cat([one, other], dim=1))
        return fused


class Pyramid(nn.Module):
    """A U-Net of two levels below its input; channels and size stay."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter = 2 * channels, 4 * channels
        self.to_half = self._level(channels, half)
        self.to_quarter = self._level(half, quarter)
        self.from_quarter = nn.ConvTranspose2d(quarter, half, 2, stride=2)
        self.at_half = self._level(quarter, half)
        self.from_half = nn.ConvTranspose2d(half, channels, 2, stride=2)
        self.at_full = self._level(half, channels)

    @staticmethod
    def _level(channels: int, results: int) -> nn.Sequential:
        convolution = nn.Conv2d(channels, results, 3, padding=1)
        return nn.Sequential(convolution, nn.BatchNorm2d(results), nn.ReLU())

    def forward(self, full: Tensor) -> Tensor:
        """Refine (n, channels, y, x), y and x multiples of 4."""
        half = self.to_half(functional.max_pool2d(full, 2))
        quarter = self.to_quarter(functional.max_pool2d(half, 2))
        half = self.at_half(cat([self.from_quarter(quarter), half], dim=1))
        refined: Tensor = self.at_full(cat([self.from_half(half), full], dim=1))
        return refined


class Branch(nn.Module):
    """One branch of DFIN: the features with channel weights, their pyramid, and themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // ATTENTION_SQUEEZE
        self.attention = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )
        self.pyramid = Pyramid(channels)
        self.join = nn.Conv2d(3 * channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, channels, y, x)."""
        weighted = features * self.attention(pooled(features))
        refined: Tensor = self.join(cat([weighted, self.pyramid(features), features], dim=1))
        return refined


class BranchIntegration(nn.Module):
    """DFIN: refine both branches, take their maximum, join it with the inputs."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.base, self.fused = Branch(channels), Branch(channels)
        self.integrate = nn.Conv2d(2 * channels, 2 * channels, 1)
        self.join = MbConv(3 * channels, channels, expansion=LAST_EXPANSION)

    def forward(self, base: Tensor, fused: Tensor) -> Tensor:
        """Fuse two (n, channels, y, x) to one."""
        both = self.integrate(cat([self.base(base), self.fused(fused)], dim=1))
        stronger = torch.maximum(*both.chunk(2, dim=1))
        joined: Tensor = self.join(cat([stronger, base, fused], dim=1))
        return joined


class SgBafmDfin(nn.Module):
    """Fill a Sentinel-2 tile with the help of Sentinel-1.

    ``attention_fusion`` is SG-BAFM, ``branch_integration`` is DFIN; without both: the base model.
    """

    SIZE_MULTIPLE: int = 16
    FULL_PRECISION: tuple[str, ...] = ("head",)

    def __init__(
        self,
        optical_bands: Size = 13,
        sar_bands: SarBands = 2,
        channels: Annotated[int, Bounds(ATTENTION_SQUEEZE, MOST_CHANNELS + 1)] = 64,
        token_channels: Size = 256,
        heads: Annotated[Size, Divides("token_channels")] = 8,
        layers: Count = 2,
        base_blocks: Count = 3,
        directional_blocks: Count = 2,
        attention_fusion: bool = True,
        branch_integration: bool = True,
    ) -> None:
        super().__init__()
        self.base = nn.Sequential(
            nn.Conv2d(optical_bands + sar_bands, channels, 3, padding=1),
            *[MbConv(channels) for _ in range(base_blocks)],
        )
        self.optical = half_resolution(optical_bands, channels)
        self.sar = half_resolution(sar_bands, channels)
        self.fusion = (
            AttentionFusion(channels, token_channels, heads, layers)
            if attention_fusion
            else Concatenation(channels)
        )
        self.directional = nn.Sequential(
            *[MbConv(channels) for _ in range(directional_blocks)],
            nn.Conv2d(channels, 4 * channels, 1),
            nn.PixelShuffle(2),
        )
        self.integration = (
            BranchIntegration(channels) if branch_integration else Concatenation(channels)
        )
        self.head = nn.Conv2d(channels, optical_bands, 3, padding=1)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        """Fill ``optical`` (n, 13, y, x) with ``sar`` (n, 2, y, x): "image" (n, 13, y, x)."""
        # A CPU convolves faster with the channels last in memory.
        optical = optical.contiguous(memory_format=torch.channels_last)
        sar = sar.contiguous(memory_format=torch.channels_last)
        base = self.base(cat([optical, sar], dim=1))
        fused = self.directional(self.fusion(self.optical(optical), self.sar(sar)))
        return {"image": optical + self.head(self.integration(base, fused))}


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "directional.0.widen.weight" not in shapes or "base.0.weight" not in shapes:
        return None
    attention_fusion = "fusion.agree.weight" in shapes
    tokens = {
        "token_channels": shapes["fusion.position.weight"][0],
        "layers": number_below(shapes, "fusion.layers."),
    } if attention_fusion else {}  # fmt: skip
    return {
        "optical_bands": shapes["optical.0.weight"][1],
        "sar_bands": shapes["sar.0.weight"][1],
        "channels": shapes["base.0.weight"][0],
        "base_blocks": number_below(shapes, "base.") - 1,
        "directional_blocks": number_below(shapes, "directional.") - 1,
        "attention_fusion": attention_fusion,
        "branch_integration": "integration.base.attention.0.weight" in shapes,
        **tokens,
    }
