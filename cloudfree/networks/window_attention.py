"""Attention in windows of 8 x 8 pixels, in which SAR corrects the optical stream.

The SAR corrects the optical attention through a gate. With logits A (optical) and S (SAR),
R = S - A, and W, b the weights of the gate, a 1 x 1 convolution over the heads, the published code
has A + R * sigmoid(W R + b); the text of the paper writes a convolution and Softmax. As
1 - sigmoid(z) is sigmoid(-z), that is S + N * sigmoid(W N - b) with N = A - S, which is computed
here: it needs the bias and the mask of S only, and can be written over S.

Windows are (n, rows, columns, 64, channels). Query, key and value are made as (channels, 64) in
each window, which is (heads, depth, 64) without a copy. The logits are by far the largest arrays,
ten times the features: a CPU makes those of a few windows at a time.

Source: Xu et al. (2022), GLF-CR, and its published code; window attention with a relative position
bias as in Liu et al., Swin Transformer, ICCV 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WINDOW = 8  # side of a window
SHIFT = 4  # every other layer attends in windows shifted by half of their side
MASKED = -1e4  # added to logits of tokens that must not meet; -100, as published, leaves denormals
AT_ONCE = 16  # the logits of so many windows fit the caches of two cores


def split_windows(features: Tensor, shift: int) -> Tensor:
    """Windows (n, y/8, x/8, 64, channels) of features (n, channels, y, x) moved up and left."""
    n, channels, y, x = features.shape
    tokens = features.permute(0, 2, 3, 1).roll((-shift, -shift), (1, 2))
    grid = tokens.reshape(n, y // WINDOW, WINDOW, x // WINDOW, WINDOW, channels)
    return grid.transpose(2, 3).reshape(n, y // WINDOW, x // WINDOW, WINDOW**2, channels)


def merge_windows(windows: Tensor, shift: int) -> Tensor:
    """Features (n, channels, y, x), channels last in memory, of windows split with that shift."""
    n, rows, columns, _, channels = windows.shape
    grid = windows.view(n, rows, columns, WINDOW, WINDOW, channels).transpose(2, 3)
    tokens = grid.reshape(n, rows * WINDOW, columns * WINDOW, channels)
    return tokens.roll((shift, shift), (1, 2)).permute(0, 3, 1, 2)


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


class WindowAttention(nn.Module):
    """Self-attention of each stream; if ``fused``, the second corrects the first."""

    bias_rows: Tensor
    masks: Tensor

    def __init__(
        self, channels: int, heads: int, streams: Sequence[str], fused: bool, mask_sar: bool
    ) -> None:
        super().__init__()
        self.heads, self.streams, self.fused, self.mask_sar = heads, streams, fused, mask_sar
        table = torch.empty((2 * WINDOW - 1) ** 2, heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        for name, values in zip(("bias_rows", "masks"), window_tables(), strict=True):
            self.register_buffer(name, values, persistent=False)
        for stream in streams:
            self.add_module(f"qkv{stream}", nn.Linear(channels, 3 * channels))
        if fused:
            self.attn_fuse_1x1conv = nn.Conv2d(heads, heads, 1)
        for stream in streams:
            self.add_module(f"proj{stream}", nn.Linear(channels, channels))

    def forward(self, windows: Sequence[Tensor], shifted: bool) -> list[Tensor]:
        """What each token of the windows (n, rows, columns, 64, channels) of each stream gathers.

        ``shifted``: opposite borders meet in the last row and column of windows.
        """
        bias = self.relative_position_bias_table[self.bias_rows].permute(2, 0, 1).contiguous()
        parts: list[Tensor] = []
        for stream, own in zip(self.streams, windows, strict=True):
            parts += self._projected(stream, own)
        bands = self._bands(parts)
        seams = [(shifted and band is bands[-1], shifted) for band in bands]
        attended = [self._attend(band, bias, ends) for band, ends in zip(bands, seams, strict=True)]
        return [
            self.get_submodule(f"proj{stream}")(torch.cat(own, dim=1).transpose(-1, -2))
            for stream, own in zip(self.streams, zip(*attended, strict=True), strict=True)
        ]

    def _bands(self, parts: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
        """A few rows of windows of all parts at a time; the last row is in the last band."""
        if self.training or parts[0].is_cuda or torch.compiler.is_compiling():
            return [tuple(parts)]  # these gain nothing from bands
        rows = max(AT_ONCE // parts[0].shape[2], 1)
        return list(zip(*(torch.split(part, rows, dim=1) for part in parts), strict=True))

    def _projected(self, stream: str, windows: Tensor) -> list[Tensor]:
        """Query, key and value of a stream, (n, rows, columns, channels, 64)."""
        weight, bias = self.get_submodule(f"qkv{stream}").parameters()
        tokens = windows.flatten(0, 2).transpose(1, 2)
        depth = tokens.shape[1] // self.heads
        made = [
            torch.baddbmm(own[:, None], part.expand(tokens.shape[0], -1, -1), tokens)
            for part, own in zip(weight.chunk(3), bias.chunk(3), strict=True)
        ]
        made[0] *= depth**-0.5
        return [part.view(*windows.shape[:3], *part.shape[1:]) for part in made]

    def _attend(
        self, band: Sequence[Tensor], bias: Tensor, seams: tuple[bool, bool]
    ) -> list[Tensor]:
        """What query, key, value of each stream, all (n, rows, columns, channels, 64), gather."""
        n, rows, columns, channels, tokens = band[0].shape
        parts = [part.reshape(-1, channels // self.heads, tokens) for part in band]
        logits = [
            torch.bmm(query.transpose(1, 2), key).view(n, rows, columns, -1, tokens, tokens)
            for query, key in zip(parts[0::3], parts[1::3], strict=True)
        ]
        weights = (self._fused if self.fused else self._apart)(logits, bias, seams)
        return [
            torch.bmm(value, own.flatten(0, 3).transpose(1, 2)).view(band[0].shape)
            for value, own in zip(parts[2::3], weights, strict=True)
        ]

    def _apart(
        self, logits: Sequence[Tensor], bias: Tensor, seams: tuple[bool, bool]
    ) -> list[Tensor]:
        """Weights (n, rows, columns, heads, 64, 64) of logits without a bias, stream by stream."""
        for own, masked in zip(logits, (True, self.mask_sar), strict=False):
            own.add_(bias)
            if masked:
                self._mask(own, seams)
        return [_softmax(own) for own in logits]

    def _fused(
        self, logits: Sequence[Tensor], bias: Tensor, seams: tuple[bool, bool]
    ) -> list[Tensor]:
        """Weights of both streams; those of the SAR first, as its logits are written over."""
        optical, sar = logits
        gap = optical.sub_(sar)
        gate = self._gate(gap)
        sar.add_(bias)
        if self.mask_sar:
            self._mask(sar, seams)
        sar_weights = _softmax(sar)
        optical = sar.addcmul_(gap, gate)
        if not self.mask_sar:
            self._mask(optical, seams)
        return [_softmax(optical), sar_weights]

    def _gate(self, gap: Tensor) -> Tensor:
        """How much of the gap each head keeps, seeing that of all heads: 0 to 1."""
        weight, bias = self.attn_fuse_1x1conv.parameters()
        heads = gap.flatten(0, 2).flatten(2)
        mixing = weight[:, :, 0, 0].expand(heads.shape[0], -1, -1)
        return torch.baddbmm(bias[:, None], mixing, heads, beta=-1).sigmoid_().view_as(gap)

    def _mask(self, logits: Tensor, seams: tuple[bool, bool]) -> None:
        """Keep tokens apart that only the shift brought together."""
        if seams[0]:
            logits[:, -1] += self.masks[0]
        if seams[1]:
            logits[:, :, -1] += self.masks[1]


def _softmax(logits: Tensor) -> Tensor:
    """Weights of the keys, in the precision of the logits, in which the values are weighted.

    Mixed precision on a GPU would make fp32 of the largest arrays there are and round it back.
    """
    return logits.softmax(dim=-1, dtype=logits.dtype)
