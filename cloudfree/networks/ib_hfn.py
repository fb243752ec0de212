"""IB-HFN: SAR enters through a narrow, noisy channel, and only where cloud hides the ground.

Optical and SAR images are encoded apart and meet at a quarter of the resolution. There a gate says
how clear the sky is: clear ground passes as it is, clouded ground is rebuilt from the optical
features and from a sample of a normal distribution that the SAR image describes (an information
bottleneck). The skips to the decoder carry what is clear; they start as the identity.

Paper: the Information Bottleneck-driven High-Fidelity Network, arXiv 2606.09347 (2026). Written
from its abstract alone: widths, layers and the form of each part are our design. No weights or code
are published.

Shapes: optical (n, 13, y, x), sar (n, 2, y, x); y and x multiples of 4. The group norms see the
whole tile, so a pixel depends on all others.
Units: optical reflectance 0..1; sar VV from -25..0 dB and VH from -32.5..0 dB, clipped, to 0..1.
The result is on the scale of the optical input and unbounded.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor, cat, nn
from torch.nn import functional

from cloudfree.networks import Shapes, number_below
from cloudfree.networks.arguments import (
    MOST_CHANNELS,
    Bounds,
    Count,
    Counts,
    SarBands,
    Size,
)

LOG_VARIANCE_RANGE = (-8.0, 4.0)
SQUEEZE = 4  # the hidden layer of a multi-layer perceptron on pooled features is this much thinner


class ResidualUnit(nn.Module):
    """Add a correction, scaled channel by channel with weights that start at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.norm = nn.GroupNorm(1, channels)
        self.widen = nn.Conv2d(channels, wide, 1)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide)
        self.excite = nn.Conv2d(wide, wide, 1)
        self.narrow = nn.Conv2d(wide, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Refine (n, channels, y, x)."""
        hidden = functional.gelu(self.depthwise(self.widen(self.norm(features))))
        hidden = hidden * torch.sigmoid(self.excite(pooled(hidden)))
        refined: Tensor = features + self.gamma * self.narrow(hidden)
        return refined


def pooled(features: Tensor) -> Tensor:
    """Average over the tile: (n, channels, y, x) to (n, channels, 1, 1)."""
    return features.mean(dim=(2, 3), keepdim=True)


def units(channels: int, number: int) -> nn.Sequential:
    """Residual units one after the other."""
    return nn.Sequential(*[ResidualUnit(channels) for _ in range(number)])


class Encoder(nn.Module):
    """Features of one modality at full, half and a quarter of the resolution."""

    def __init__(self, bands: int, widths: Sequence[int], numbers: Sequence[int]) -> None:
        super().__init__()
        pairs = pairwise(widths)
        entries: list[nn.Module] = [nn.Conv2d(bands, widths[0], 3, padding=1)]
        entries += [nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs]
        self.entries = nn.ModuleList(entries)
        self.levels = nn.ModuleList(map(units, widths, numbers))

    def forward(self, image: Tensor) -> list[Tensor]:
        """(n, bands, y, x) to one tensor per level: (n, width, y, x), (n, width, y/2, x/2), ..."""
        # A CPU convolves faster with the channels last in memory.
        image = image.contiguous(memory_format=torch.channels_last)
        features: list[Tensor] = []
        for entry, level in zip(self.entries, self.levels, strict=True):
            image = level(entry(image))
            features.append(image)
        return features


class DiracSkip(nn.Module):
    """Pass what the gate calls clear through a convolution that starts as the identity.

    Without ``dirac`` it starts at random.
    """

    def __init__(self, channels: int, dirac: bool = True) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        if dirac:
            nn.init.dirac_(self.convolution.weight)

    def forward(self, features: Tensor, gate: Tensor) -> Tensor:
        """Filter ``gate`` (n, 1, y, x) times ``features`` (n, channels, y, x)."""
        passed: Tensor = self.convolution(gate * features)
        return passed


class ClearSkyGate(nn.Module):
    """How clear the sky is, from the surroundings of a pixel and from the whole tile."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.join = nn.Conv2d(2 * channels, channels, 1)
        self.surroundings = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.tile = perceptron(channels, channels)
        self.decide = nn.Conv2d(channels, 1, 1)

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Two (n, channels, y, x) to (n, 1, y, x), 1 = clear."""
        local = functional.gelu(self.surroundings(self.join(cat([optical, sar], dim=1))))
        return torch.sigmoid(self.decide(local * torch.sigmoid(self.tile(pooled(optical)))))


class NoGate(nn.Module):
    """In the place of the gate: everything passes."""

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """Ones (n, 1, y, x) for two (n, channels, y, x)."""
        del sar
        return torch.ones_like(optical[:, :1])


def perceptron(channels: int, results: int) -> nn.Sequential:
    """Two layers on pooled features (n, channels, 1, 1)."""
    hidden = channels // SQUEEZE
    return nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.GELU(), nn.Conv2d(hidden, results, 1))


class Fused(NamedTuple):
    """What the fusion found: features, gate, and the distribution that stands for SAR, if any."""

    features: Tensor  # (n, channels, y, x)
    gate: Tensor  # (n, 1, y, x)
    distribution: dict[str, Tensor]  # mu (n, bottleneck, y, x), log_sigma (n, bottleneck, 1, 1)


class BottleneckFusion(nn.Module):
    """Spatial information bottleneck fusion: rebuild with SAR where the gate sees cloud.

    The mean of the distribution belongs to a pixel, its spread to a channel of the whole tile. With
    a ``bottleneck`` of 0 channels SAR passes whole. Without ``gated``, both branches pass whole.
    """

    def __init__(
        self, channels: int, bottleneck: int, gated: bool = True, dirac: bool = True
    ) -> None:
        super().__init__()
        self.gated, self.bottleneck = gated, bottleneck
        self.gate = ClearSkyGate(channels) if gated else NoGate()
        if bottleneck:
            self.mu = nn.Conv2d(channels, bottleneck, 1)
            self.log_variance = perceptron(channels, bottleneck)
            self.widen = nn.Conv2d(bottleneck, channels, 1)
        self.rebuild = nn.Conv2d(2 * channels, channels, 3, padding=1)
        nn.init.zeros_(self.rebuild.bias)  # type: ignore[arg-type]  # clear ground passes unchanged
        self.skip = DiracSkip(channels, dirac)

    def forward(self, optical: Tensor, sar: Tensor) -> Fused:
        """Fuse two (n, channels, y, x); in training mode SAR is a sample, else its mean."""
        gate = self.gate(optical, sar)
        hidden = 1 - gate if self.gated else gate
        described, distribution = self._narrowed(sar) if self.bottleneck else (sar, {})
        clouded = cat([hidden * optical, hidden * described], dim=1)
        return Fused(self.rebuild(clouded) + self.skip(optical, gate), gate, distribution)

    def _narrowed(self, sar: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """What passes the bottleneck, (n, channels, y, x), and the distribution in it."""
        mu = self.mu(sar)
        log_sigma = self.log_variance(pooled(sar)).clamp(*LOG_VARIANCE_RANGE) / 2
        sample = mu + log_sigma.exp() * torch.randn_like(mu) if self.training else mu
        return self.widen(sample), {"mu": mu, "log_sigma": log_sigma}


class UpStage(nn.Module):
    """Double the resolution, add what is clear in the encoder's features, refine."""

    def __init__(self, coarse: int, fine: int, number: int, dirac: bool = True) -> None:
        super().__init__()
        self.spread = nn.Conv2d(coarse, 4 * fine, 1)
        self.skip = DiracSkip(fine, dirac)
        self.refine = units(fine, number)

    def forward(self, features: Tensor, encoded: Tensor, gate: Tensor) -> Tensor:
        """``features`` (n, coarse, y/2, x/2); ``encoded`` and result (n, fine, y, x)."""
        larger = functional.pixel_shuffle(self.spread(features), 2)
        refined: Tensor = self.refine(larger + self.skip(encoded, gate))
        return refined


class IbHfn(nn.Module):
    """Fill a Sentinel-2 tile; Sentinel-1 speaks where the sky is not clear.

    ``widths`` are the channels at full, half and a quarter of the resolution; ``optical_units`` and
    ``sar_units`` count the residual units there. For ablations: ``bottleneck`` 0 has no bottleneck,
    ``gate`` False no gate, and with ``dirac`` False the skips start at random.
    """

    SIZE_MULTIPLE: int = 4
    FULL_PRECISION: tuple[str, ...] = ("head",)

    def __init__(
        self,
        optical_bands: Size = 13,
        sar_bands: SarBands = 2,
        widths: Annotated[Sequence[int], Bounds(SQUEEZE, MOST_CHANNELS + 1)] = (48, 96, 192),
        optical_units: Counts = (2, 2, 4),
        sar_units: Counts = (1, 1, 2),
        bottleneck: Annotated[int, Bounds(0, MOST_CHANNELS + 1)] = 96,
        bottom_units: Count = 4,
        up_units: Count = 2,
        gate: bool = True,
        dirac: bool = True,
    ) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.optical_encoder = Encoder(optical_bands, widths, optical_units)
        self.sar_encoder = Encoder(sar_bands, widths, sar_units)
        self.fusion = BottleneckFusion(coarse, bottleneck, gate, dirac)
        self.bottom = units(coarse, bottom_units)
        self.up_middle = UpStage(coarse, middle, up_units, dirac)
        self.up_fine = UpStage(middle, fine, up_units, dirac)
        self.head = nn.Conv2d(fine, optical_bands, 3, padding=1)

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        """Fill ``optical``, and tell what the training needs.

        "image" (n, 13, y, x); "gate" (n, 1, y/4, x/4), 1 = clear sky; "mu" (n, 96, y/4, x/4) and
        "log_sigma" (n, 96, 1, 1), the logarithm of the standard deviation, of the bottleneck.
        Without gate or bottleneck there are no such outputs.
        """
        fine, middle, coarse = self.optical_encoder(optical)
        fused = self.fusion(coarse, self.sar_encoder(sar)[-1])
        features = self.bottom(fused.features)
        features = self.up_middle(features, middle, resized(fused.gate, 2))
        features = self.up_fine(features, fine, resized(fused.gate, 4))
        gate = {"gate": fused.gate} if self.fusion.gated else {}
        return {"image": optical + self.head(features), **gate, **fused.distribution}


def resized(gate: Tensor, factor: int) -> Tensor:
    """(n, 1, y, x) to (n, 1, factor * y, factor * x)."""
    return functional.interpolate(
        gate, scale_factor=float(factor), mode="bilinear", align_corners=False
    )


def infer_settings(shapes: Shapes) -> dict[str, Any] | None:
    """Constructor arguments of the network with such tensors; None if it is another one."""
    if "optical_encoder.entries.0.weight" not in shapes or "fusion.rebuild.weight" not in shapes:
        return None
    scales = range(number_below(shapes, "optical_encoder.entries."))
    entries = [shapes[f"optical_encoder.entries.{scale}.weight"] for scale in scales]
    return {
        "optical_bands": entries[0][1],
        "sar_bands": shapes["sar_encoder.entries.0.weight"][1],
        "widths": [entry[0] for entry in entries],
        "optical_units": [number_below(shapes, f"optical_encoder.levels.{s}.") for s in scales],
        "sar_units": [number_below(shapes, f"sar_encoder.levels.{s}.") for s in scales],
        "bottleneck": shapes["fusion.mu.weight"][0] if "fusion.widen.weight" in shapes else 0,
        "bottom_units": number_below(shapes, "bottom."),
        "up_units": number_below(shapes, "up_fine.refine."),
        **({} if "fusion.gate.join.weight" in shapes else {"gate": False}),
    }
