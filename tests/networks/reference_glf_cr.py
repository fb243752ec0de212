"""GLF-CR once more, as plainly as its specification: the yardstick for results and for speed.

No thought is given to speed: filters are made for all taps at once and applied to unfolded
features, attention is computed stream by stream on windows that were cut out, masks are made for
every layer and added to all windows. Shapes as in the network itself; the names of the tensors
are the same, masks included in none.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


def partition(tokens: Tensor) -> Tensor:
    """(n, y, x, c) to (n * windows, 64, c)."""
    n, y, x, c = tokens.shape
    return tokens.view(n, y // 8, 8, x // 8, 8, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 64, c)


def reverse(windows: Tensor, y: int, x: int) -> Tensor:
    """(n * windows, 64, c) to (n, y, x, c)."""
    c = windows.shape[-1]
    grid = windows.view(-1, y // 8, x // 8, 8, 8, c)
    return grid.permute(0, 1, 3, 2, 4, 5).reshape(-1, y, x, c)


def shift_mask(y: int, x: int) -> Tensor:
    """-100 where the tokens of a shifted window are of different regions: (windows, 64, 64)."""
    regions = torch.zeros(1, y, x, 1)
    cuts = (slice(0, -8), slice(-8, -4), slice(-4, None))
    for number, (rows, columns) in enumerate((a, b) for a in cuts for b in cuts):
        regions[:, rows, columns] = number
    labels = partition(regions)[:, :, 0]
    return torch.where(labels[:, :, None] == labels[:, None, :], 0.0, -100.0)


def bias_rows() -> Tensor:
    """(y_q - y_k + 7) * 15 + (x_q - x_k + 7): (64, 64)."""
    y, x = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    y, x = y.flatten(), x.flatten()
    return (y[:, None] - y[None, :] + 7) * 15 + (x[:, None] - x[None, :] + 7)


def dynamic_filter(features: Tensor, kernel: Tensor, side: int = 5) -> Tensor:
    """Weigh the unfolded (n, c, y, x) with (n, c * side * side, y, x) and sum."""
    n, c, y, x = features.shape
    padded = functional.pad(features, [side // 2] * 4, mode="replicate")
    around = functional.unfold(padded, side).view(n, c, side * side, y, x)
    return (around * kernel.view(n, c, side * side, y, x)).sum(dim=2)


class ReferenceAttention(nn.Module):
    def __init__(self, channels: int, heads: int, mask_sar: bool) -> None:
        super().__init__()
        self.heads, self.mask_sar = heads, mask_sar
        self.relative_position_bias_table = nn.Parameter(torch.zeros(225, heads))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.qkv_SAR = nn.Linear(channels, 3 * channels)
        self.attn_fuse_1x1conv = nn.Conv2d(heads, heads, 1)
        self.proj = nn.Linear(channels, channels)
        self.proj_SAR = nn.Linear(channels, channels)

    def forward(self, optical: Tensor, sar: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Both (n * windows, 64, channels)."""
        bias = self.relative_position_bias_table[bias_rows()].permute(2, 0, 1)
        logits, value = self.logits(self.qkv(optical))
        sar_logits, sar_value = self.logits(self.qkv_SAR(sar))
        logits, sar_logits = logits + bias, sar_logits + bias
        difference = sar_logits - logits
        gate = torch.sigmoid(self.attn_fuse_1x1conv(difference))
        logits = self.masked(logits + difference * gate, mask)
        if self.mask_sar:
            sar_logits = self.masked(sar_logits, mask)
        gathered = self.gathered(logits, value)
        return self.proj(gathered), self.proj_SAR(self.gathered(sar_logits, sar_value))

    def logits(self, qkv: Tensor) -> tuple[Tensor, Tensor]:
        windows, tokens, channels = qkv.shape
        depth = channels // 3 // self.heads
        parts = qkv.view(windows, tokens, 3, self.heads, depth).permute(2, 0, 3, 1, 4)
        return (parts[0] * depth**-0.5) @ parts[1].transpose(2, 3), parts[2]

    def masked(self, logits: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            return logits
        windows = mask.shape[0]
        by_tile = logits.view(-1, windows, self.heads, 64, 64) + mask[None, :, None]
        return by_tile.view(-1, self.heads, 64, 64)

    def gathered(self, logits: Tensor, value: Tensor) -> Tensor:
        gathered = torch.softmax(logits, dim=-1) @ value
        return gathered.transpose(1, 2).reshape(value.shape[0], 64, -1)


class ReferenceMlp(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 2 * channels)
        self.fc2 = nn.Linear(2 * channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return result


class ReferenceLayer(nn.Module):
    def __init__(
        self, channels: int, growth: int, heads: int, shift: int, mask_sar: bool, printed: bool
    ) -> None:
        super().__init__()
        self.shift = shift
        norm = nn.LayerNorm if printed else nn.Identity
        self.norm1, self.norm1_SAR = norm(growth), norm(growth)
        self.conv = nn.Sequential(nn.Conv2d(channels, growth, 3, padding=1), nn.ReLU())
        self.conv_SAR = nn.Sequential(nn.Conv2d(channels, growth, 3, padding=1), nn.ReLU())
        self.attn = ReferenceAttention(growth, heads, mask_sar)
        self.norm2, self.norm2_SAR = nn.LayerNorm(growth), nn.LayerNorm(growth)
        self.mlp, self.mlp_SAR = ReferenceMlp(growth), ReferenceMlp(growth)

    def forward(self, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.conv(optical).permute(0, 2, 3, 1)
        sar_tokens = self.conv_SAR(sar).permute(0, 2, 3, 1)
        y, x = tokens.shape[1:3]
        shift = self.shift if min(y, x) > 8 else 0
        normed, sar_normed = self.norm1(tokens), self.norm1_SAR(sar_tokens)
        windows = partition(torch.roll(normed, (-shift, -shift), (1, 2)))
        sar_windows = partition(torch.roll(sar_normed, (-shift, -shift), (1, 2)))
        mask = shift_mask(y, x) if shift else None
        windows, sar_windows = self.attn(windows, sar_windows, mask)
        tokens = tokens + torch.roll(reverse(windows, y, x), (shift, shift), (1, 2))
        sar_tokens = sar_tokens + torch.roll(reverse(sar_windows, y, x), (shift, shift), (1, 2))
        tokens = tokens + self.mlp(self.norm2(tokens))
        sar_tokens = sar_tokens + self.mlp_SAR(self.norm2_SAR(sar_tokens))
        return (
            torch.cat([optical, tokens.permute(0, 3, 1, 2)], dim=1),
            torch.cat([sar, sar_tokens.permute(0, 3, 1, 2)], dim=1),
        )


class ReferenceBlock(nn.Module):
    def __init__(
        self, channels: int, layers: int, growth: int, heads: int, mask_sar: bool, printed: bool
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            ReferenceLayer(channels + c * growth, growth, heads, 4 * (c % 2), mask_sar, printed)
            for c in range(layers)
        )
        grown, (side, padding) = channels + layers * growth, (1, 0) if printed else (3, 1)
        self.LFF = nn.Conv2d(grown, channels, side, padding=padding)
        self.LFF_SAR = nn.Conv2d(grown, channels, side, padding=padding)

    def forward(self, optical: Tensor, sar: Tensor) -> tuple[Tensor, Tensor]:
        grown, sar_grown = optical, sar
        for layer in self.convs:
            grown, sar_grown = layer(grown, sar_grown)
        return optical + self.LFF(grown), sar + self.LFF_SAR(sar_grown)


class ReferenceResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = features + self.stem(features)
        return result


class ReferenceFilter(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fac_warp = nn.Sequential(
            nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.LeakyReLU(0.1)),
            ReferenceResidual(channels),
            ReferenceResidual(channels),
            nn.Sequential(nn.Conv2d(channels, 25 * channels, 1), nn.LeakyReLU(0.1)),
        )

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        return dynamic_filter(sar, self.fac_warp(torch.cat([optical, sar], dim=1)))


class ReferenceGlfCr(nn.Module):
    def __init__(
        self,
        channels: int = 96,
        blocks: int = 6,
        layers: int = 5,
        growth: int = 48,
        heads: int = 8,
        mask_sar: bool = True,
        printed: bool = False,
    ) -> None:
        super().__init__()
        self.printed = printed
        self.SFENet1 = nn.Conv2d(52, channels, 5, padding=2)
        self.SFENet2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.SFENet1_SAR = nn.Conv2d(8, channels, 5, padding=2)
        self.SFENet2_SAR = nn.Conv2d(channels, channels, 3, padding=1)
        self.RDBs = nn.ModuleList(
            ReferenceBlock(channels, layers, growth, heads, mask_sar, printed)
            for _ in range(blocks)
        )
        self.DF = nn.ModuleList(ReferenceFilter(channels) for _ in range(blocks))
        self.sar_fuse_1x1conv = nn.ModuleList(
            nn.Conv2d(channels, channels, 1) for _ in range(blocks)
        )
        self.opt_distribute_1x1conv = nn.ModuleList(
            nn.Conv2d(channels, channels, 1) for _ in range(blocks)
        )
        self.GFF = nn.Sequential(
            nn.Conv2d(blocks * channels, channels, 1),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.UPNet = nn.Sequential(
            nn.Conv2d(channels, 256, 3, padding=1),
            nn.PixelShuffle(2),
            nn.Conv2d(64, 13, 3, padding=1),
        )

    def forward(self, optical: Tensor, sar: Tensor) -> Tensor:
        active = torch.relu if self.printed else nn.Identity()
        first = active(self.SFENet1(functional.pixel_unshuffle(optical, 2)))
        x = active(self.SFENet2(first))
        s = active(self.SFENet1_SAR(functional.pixel_unshuffle(sar, 2)))
        s = active(self.SFENet2_SAR(s))
        kept, skip = [], x if self.printed else first
        for i, block in enumerate(self.RDBs):
            x, s = block(x, s)
            s_hat = self.DF[i](x, s)
            new_x = x + (s_hat - x) * torch.sigmoid(self.sar_fuse_1x1conv[i](s_hat - x))
            gate = torch.sigmoid(self.opt_distribute_1x1conv[i](new_x - s_hat))
            x, s = new_x, s + (new_x - s_hat) * gate
            kept.append(x)
        correction: Tensor = self.UPNet(self.GFF(torch.cat(kept, dim=1)) + skip)
        return optical + correction
