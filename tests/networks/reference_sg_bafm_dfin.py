"""SG-BAFM + DFIN once more, as plainly as its specification.

Attention is written out. Names of the tensors and shapes are those of the network itself.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ReferenceMbConv(nn.Module):
    """conv1-BN-SiLU-dw3-BN-SiLU-SE-conv1-BN, plus the skip."""

    def __init__(self, c: int, made: int, expansion: int) -> None:
        super().__init__()
        wide = expansion * c
        self.widen = nn.Conv2d(c, wide, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(wide)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.norm2 = nn.BatchNorm2d(wide)
        self.squeeze = nn.Conv2d(wide, c // 4, 1)
        self.excite = nn.Conv2d(c // 4, wide, 1)
        self.narrow = nn.Conv2d(wide, made, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(made)
        if made != c:
            self.shortcut = nn.Conv2d(c, made, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = functional.silu(self.norm1(self.widen(x)))
        h = functional.silu(self.norm2(self.depthwise(h)))
        squeezed = functional.silu(self.squeeze(functional.adaptive_avg_pool2d(h, 1)))
        h = h * torch.sigmoid(self.excite(squeezed))
        h = self.norm3(self.narrow(h))
        return h + (self.shortcut(x) if hasattr(self, "shortcut") else x)


class ReferenceLayer(nn.Module):
    """V + O(softmax(Q(S) K(S)^T / sqrt(depth)) V(V)), then V + MLP(LN(V))."""

    def __init__(self, c: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(c, c), nn.Linear(c, c)
        self.value, self.out = nn.Linear(c, c), nn.Linear(c, c)
        self.norm = nn.LayerNorm(c)
        self.mlp = nn.Sequential(nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c))

    def forward(self, v: Tensor, s: Tensor) -> Tensor:
        """Both (n, tokens, c)."""
        n, tokens, c = v.shape
        depth = c // self.heads
        query = self.query(s).view(n, tokens, self.heads, depth).transpose(1, 2)
        key = self.key(s).view(n, tokens, self.heads, depth).transpose(1, 2)
        value = self.value(v).view(n, tokens, self.heads, depth).transpose(1, 2)
        shares = torch.softmax(query @ key.transpose(2, 3) / depth**0.5, dim=-1)
        gathered = (shares @ value).transpose(1, 2).reshape(n, tokens, c)
        v = v + self.out(gathered)
        result: Tensor = v + self.mlp(self.norm(v))
        return result


class ReferenceSgBafm(nn.Module):
    def __init__(self, c: int, token_channels: int, heads: int, layers: int) -> None:
        super().__init__()
        self.of_optical, self.of_sar = nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 1)
        self.agree = nn.Conv2d(2 * c, c, 1)
        self.optical_tokens = nn.Conv2d(c, token_channels, 8, stride=8)
        self.sar_tokens = nn.Conv2d(c, token_channels, 8, stride=8)
        self.position = nn.Conv2d(
            token_channels, token_channels, 3, padding=1, groups=token_channels, bias=False
        )
        self.layers = nn.ModuleList(ReferenceLayer(token_channels, heads) for _ in range(layers))
        self.spread = nn.ConvTranspose2d(token_channels, c, 8, stride=8)
        self.join = nn.Conv2d(2 * c, c, 1)

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        """F_opt and F_sar at half the resolution to F_fused."""
        a = self.agree(torch.cat([self.of_optical(optical), self.of_sar(sar)], dim=1))
        s = sar * torch.sigmoid(a)
        s_grid = self.sar_tokens(s)
        s_grid = s_grid + self.position(s_grid)
        v_grid = self.optical_tokens(optical)
        n, c, y, x = v_grid.shape
        s_tokens = s_grid.view(n, c, y * x).transpose(1, 2)
        v_tokens = v_grid.view(n, c, y * x).transpose(1, 2)
        for layer in self.layers:
            v_tokens = layer(v_tokens, s_tokens)
        spread = self.spread(v_tokens.transpose(1, 2).reshape(n, c, y, x))
        result: Tensor = self.join(torch.cat([spread, s], dim=1))
        return result


def level(c: int, made: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c, made, 3, padding=1), nn.BatchNorm2d(made), nn.ReLU())


class ReferencePyramid(nn.Module):
    """A U-Net of two levels: c, 2c and 4c channels."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.to_half, self.to_quarter = level(c, 2 * c), level(2 * c, 4 * c)
        self.from_quarter = nn.ConvTranspose2d(4 * c, 2 * c, 2, stride=2)
        self.at_half = level(4 * c, 2 * c)
        self.from_half = nn.ConvTranspose2d(2 * c, c, 2, stride=2)
        self.at_full = level(2 * c, c)

    def forward(self, full: Tensor) -> Tensor:
        half = self.to_half(functional.max_pool2d(full, 2))
        quarter = self.to_quarter(functional.max_pool2d(half, 2))
        half = self.at_half(torch.cat([self.from_quarter(quarter), half], dim=1))
        result: Tensor = self.at_full(torch.cat([self.from_half(half), full], dim=1))
        return result


class ReferenceBranch(nn.Module):
    """Conv(Attention(F) (+) Pyramid(F) (+) F)."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.Conv2d(c, c // 8, 1), nn.ReLU(), nn.Conv2d(c // 8, c, 1), nn.Sigmoid()
        )
        self.pyramid = ReferencePyramid(c)
        self.join = nn.Conv2d(3 * c, c, 3, padding=1)

    def forward(self, f: Tensor) -> Tensor:
        attended = f * self.attention(functional.adaptive_avg_pool2d(f, 1))
        result: Tensor = self.join(torch.cat([attended, self.pyramid(f), f], dim=1))
        return result


class ReferenceDfin(nn.Module):
    """MBConv(Max(F^_b (+) F^_d) (+) F_b (+) F_d)."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.base, self.fused = ReferenceBranch(c), ReferenceBranch(c)
        self.integrate = nn.Conv2d(2 * c, 2 * c, 1)
        self.join = ReferenceMbConv(3 * c, c, expansion=2)

    def forward(self, base: Tensor, fused: Tensor) -> Tensor:
        both = self.integrate(torch.cat([self.base(base), self.fused(fused)], dim=1))
        one, other = both.chunk(2, dim=1)
        result: Tensor = self.join(torch.cat([torch.maximum(one, other), base, fused], dim=1))
        return result


class ReferenceSgBafmDfin(nn.Module):
    def __init__(self, c: int = 64, token_channels: int = 256, heads: int = 8) -> None:
        super().__init__()
        self.base = nn.Sequential(
            nn.Conv2d(13 + 2, c, 3, padding=1), *(ReferenceMbConv(c, c, 4) for _ in range(3))
        )
        self.optical = self.halved(13, c)
        self.sar = self.halved(2, c)
        self.fusion = ReferenceSgBafm(c, token_channels, heads, layers=2)
        self.directional = nn.Sequential(
            ReferenceMbConv(c, c, 4),
            ReferenceMbConv(c, c, 4),
            nn.Conv2d(c, 4 * c, 1),
            nn.PixelShuffle(2),
        )
        self.integration = ReferenceDfin(c)
        self.head = nn.Conv2d(c, 13, 3, padding=1)

    @staticmethod
    def halved(bands: int, c: int) -> nn.Sequential:
        first = nn.Conv2d(bands, c, 3, stride=2, padding=1)
        return nn.Sequential(first, nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.ReLU())

    def forward(self, optical: Tensor, sar: Tensor) -> dict[str, Tensor]:
        base = self.base(torch.cat([optical, sar], dim=1))
        fused = self.directional(self.fusion(self.optical(optical), self.sar(sar)))
        return {"image": optical + self.head(self.integration(base, fused))}
