"""How far one image lies from another."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cloudfree.core.radiometry import Float64


@dataclass(frozen=True)
class Shift:
    """Where Sentinel-1 content lies relative to the optical grid, in optical pixels.

    What the optical scene shows at (r, c), Sentinel-1 shows at (r + row, c + col). To correct it,
    Sentinel-1 is sampled at `grid.shifted(row, col)`.
    """

    row: float = 0.0
    col: float = 0.0

    def at(self, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Where Sentinel-1 shows what the optical scene shows at these rows and columns."""
        return rows + self.row, cols + self.col

    @property
    def length(self) -> float:
        """Distance in pixels."""
        return math.hypot(self.row, self.col)


NO_SHIFT = Shift()
