"""A network that paints: all that it can learn is one colour."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Paint(nn.Module):
    """Answers one colour, whatever it sees: what it can learn of a scene."""

    def __init__(self) -> None:
        super().__init__()
        self.colour = nn.Parameter(torch.full((1, 13, 1, 1), 0.3))

    def forward(self, optical: Tensor, sar: Tensor, shadow: Tensor) -> dict[str, Tensor]:
        return {"image": self.colour + 0.0 * (optical + sar[:, :1] + shadow)}
