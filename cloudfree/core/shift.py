"""How far one image lies from another."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Shift:
    """Where Sentinel-1 content lies relative to the optical grid, in optical pixels.

    What the optical scene shows at (r, c), Sentinel-1 shows at (r + row, c + col). To correct it,
    Sentinel-1 is sampled at `grid.shifted(row, col)`.
    """

    row: float = 0.0
    col: float = 0.0

    @property
    def length(self) -> float:
        """Distance in pixels."""
        return math.hypot(self.row, self.col)


NO_SHIFT = Shift()
