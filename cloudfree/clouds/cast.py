"""Where clouds can throw their shadows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.clouds.ground import GroundAxes

# The farthest a shadow is looked for: a cloud 2 km high under a sun 45 degrees high.
SHADOW_REACH_M = 2000.0

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class ShadowCast:
    """A line from a cloud away from the sun, as shifts whose union with each other is the line.

    Each shift (rows, columns) is laid over what the ones before it have reached, so that n pixels
    need about log2(n) shifts.
    """

    shifts: tuple[tuple[int, int], ...]

    @classmethod
    def towards(cls, displacement: tuple[float, float]) -> Self:
        """The line from a pixel to the one that lies `displacement` rows and columns away."""
        length = math.ceil(max(abs(displacement[0]), abs(displacement[1])))
        shifts, reached = [], 0
        while reached < length:
            step = min(reached + 1, length - reached)
            shifts.append(
                (_part(displacement[0], step, length), _part(displacement[1], step, length))
            )
            reached += step
        return cls(tuple(shifts))

    @classmethod
    def away_from_sun(cls, sun_azimuth_deg: float, axes: GroundAxes) -> Self:
        """The line along which shadows lie when the sun stands at `sun_azimuth_deg`."""
        return cls.towards(axes.displacement(sun_azimuth_deg + 180.0, SHADOW_REACH_M))

    @property
    def halo_px(self) -> int:
        """Rows between a shadow and the farthest cloud that can throw it."""
        return sum(abs(row) for row, _ in self.shifts)

    def of(self, cloud: Bits) -> Bits:
        """Where `cloud`, (y, x), or its shadow can be; clouds outside the array throw none."""
        reached = cloud.copy()
        for row, col in self.shifts:
            reached |= _shifted(reached, row, col)
        return reached


def _part(length: float, step: int, steps: int) -> int:
    return round(length * step / steps)


def _shifted(bits: Bits, row: int, col: int) -> Bits:
    """`bits` moved down by `row` and right by `col`; False comes in from outside."""
    moved = np.zeros_like(bits)
    to_rows, from_rows = _overlap(row, bits.shape[0])
    to_cols, from_cols = _overlap(col, bits.shape[1])
    moved[to_rows, to_cols] = bits[from_rows, from_cols]
    return moved


def _overlap(shift: int, length: int) -> tuple[slice, slice]:
    """Where the pixels of one axis land, and where those that stay inside came from."""
    kept = max(length - abs(shift), 0)
    landing, origin = max(shift, 0), max(-shift, 0)
    return slice(landing, landing + kept), slice(origin, origin + kept)
