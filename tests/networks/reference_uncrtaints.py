"""UnCRtainTS once more, as plainly as its specification, for one date and for several.

A reference is for eval mode. Names of the tensors, shapes and units are those of the network
itself: the published network gives ``scale_by`` times the image and its square times the variance.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 16


class ReferenceSqueeze(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        first = nn.Linear(channels, squeezed, bias=False)
        second = nn.Linear(squeezed, channels, bias=False)
        self.fc = nn.Sequential(first, nn.GELU(), second, nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        n, channels = x.shape[:2]
        mean = functional.adaptive_avg_pool2d(x, 1).view(n, channels)
        return x * self.fc(mean).view(n, channels, 1, 1)


def norm(kind: str, channels: int) -> nn.Module:
    return nn.GroupNorm(4, channels) if kind == "group" else nn.BatchNorm2d(channels)


class ReferenceMbConv(nn.Module):
    """x + f(PreNorm(x))."""

    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        wide = 2 * width
        depthwise = nn.Conv2d(
            wide, wide, 3, padding=1, padding_mode="reflect", groups=wide, bias=False
        )
        fn = nn.Sequential(
            nn.Conv2d(width, wide, 1, bias=False),
            norm(kind, wide),
            nn.GELU(),
            depthwise,
            norm(kind, wide),
            nn.GELU(),
            ReferenceSqueeze(wide, width // 4),
            nn.Conv2d(wide, width, 1, bias=False),
            norm(kind, width),
        )
        self.conv = nn.ModuleDict({"norm": norm(kind, width), "fn": fn})

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.conv["fn"](self.conv["norm"](x))
        return result


class ReferenceHeads(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.Q = nn.Parameter(torch.zeros(HEADS, 4))
        self.fc1_k = nn.Linear(channels, HEADS * 4)


class ReferenceTemporal(nn.Module):
    """L-TAE without values: how much each date counts, (n, t, heads, y, x)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inconv = nn.Conv1d(width, 2 * width, 1)
        self.attention_heads = ReferenceHeads(2 * width)
        self.in_norm = nn.GroupNorm(16, width)

    def forward(self, features: Tensor, days: Tensor, padding: Tensor) -> Tensor:
        """``features`` (n, t, width, y, x), ``days`` and ``padding`` (n, t)."""
        n, t, width, y, x = features.shape
        pixels = features.permute(0, 3, 4, 2, 1).reshape(n * y * x, width, t)
        described = self.inconv(self.in_norm(pixels)).view(n, y, x, -1, t).permute(0, 4, 1, 2, 3)
        described = described + position(days, described.shape[-1])[:, :, None, None]
        keys = self.attention_heads.fc1_k(described).view(n, t, y, x, HEADS, 4)
        logits = torch.einsum("ntyxhd,hd->nthyx", keys, self.attention_heads.Q) / 2
        logits[padding] = -1000.0
        return torch.softmax(logits, dim=1)


def position(days: Tensor, channels: int) -> Tensor:
    """sin for even i, cos for odd i, of day / 1000^(2 * floor(i / 2) / d), once for each head.

    (n, t) to (n, t, channels).
    """
    d = channels // HEADS
    angles = [days / 1000 ** (2 * (i // 2) / d) for i in range(d)]
    waves = [angle.sin() if i % 2 == 0 else angle.cos() for i, angle in enumerate(angles)]
    return torch.stack(waves * HEADS, dim=2)


class ReferenceUnCRtainTS(nn.Module):
    def __init__(self, several: bool = False, width: int = 128, scale_by: float = 10.0) -> None:
        super().__init__()
        self.scale_by = scale_by
        first = nn.Sequential(nn.Conv2d(15, width, 1), nn.GroupNorm(4, width), nn.ReLU())
        last = nn.Sequential(nn.Conv2d(width, 26, 1))
        self.in_conv = nested(first)
        self.in_block = nn.ModuleList([ReferenceMbConv(width, "group")])
        if several:
            self.temporal_encoder = ReferenceTemporal(width)
        self.out_block = nn.ModuleList(ReferenceMbConv(width, "batch") for _ in range(5))
        self.out_conv = nested(last)

    def forward(
        self, optical: Tensor, sar: Tensor, days: Tensor | None = None
    ) -> dict[str, Tensor]:
        if days is None:
            seen = self.scale_by * torch.cat([sar, optical], dim=1)
            return self.decoded(self.encoded(seen))
        seen = self.scale_by * torch.cat([sar, optical], dim=2)
        features, attention = self.joined(seen, days)
        return {**self.decoded(features), "attention": attention}

    def encoded(self, seen: Tensor) -> Tensor:
        features: Tensor = self.in_block[0](self.in_conv["conv"]["conv"](seen))
        return features

    def decoded(self, features: Tensor) -> dict[str, Tensor]:
        for block in self.out_block:
            features = block(features)
        out = self.out_conv["conv"]["conv"](features)
        mean = self.scale_by * torch.sigmoid(out[:, :13])
        eps = 1e-9 if self.scale_by == 1 else 1e-3
        variance = functional.softplus(out[:, 13:26]) + eps
        return {"image": mean / self.scale_by, "variance": variance / self.scale_by**2}

    def joined(self, seen: Tensor, days: Tensor) -> tuple[Tensor, Tensor]:
        """Weigh the dates of (n, t, 15, y, x): features (n, width, y, x), shares at 32 x 32."""
        n, t, _, y, x = seen.shape
        padding = (seen == 0).all(dim=4).all(dim=3).all(dim=2)
        features = self.encoded(seen.flatten(0, 1)).view(n, t, -1, y, x)
        features[padding] = 0.0
        coarse = functional.adaptive_max_pool2d(features.flatten(0, 1), 32)
        attention = self.temporal_encoder(coarse.view(n, t, -1, 32, 32), days, padding)
        attention[padding] = 0.0
        share = functional.interpolate(
            attention.flatten(0, 1), size=(y, x), mode="bilinear", align_corners=False
        )
        share = share.view(n, t, HEADS, 1, y, x)
        by_head = features.view(n, t, HEADS, -1, y, x)
        return (share * by_head).sum(dim=1).flatten(1, 2), attention


def nested(layers: nn.Module) -> nn.ModuleDict:
    return nn.ModuleDict({"conv": nn.ModuleDict({"conv": layers})})
