"""Where clouds can throw their shadows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.pixel_axes import PixelAxes

# The farthest a shadow is looked for: a cloud 2 km high under a sun 45 degrees high.
SHADOW_REACH_M = 2000.0

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class ShadowProjection:
    """A line away from the sun, from the nearest to the farthest shadow of a cloud.

    Clouds are moved by `start` (rows, columns) and then by `shifts`, each of which is laid over
    what the ones before it have reached, so that n pixels of line need about log2(n) of them.
    """

    start: tuple[int, int] = (0, 0)
    shifts: tuple[tuple[int, int], ...] = ()

    @classmethod
    def between(cls, near: tuple[float, float], far: tuple[float, float]) -> Self:
        """The line between the pixels that lie `near` and `far`, (rows, columns), from a cloud."""
        start = (round(near[0]), round(near[1]))
        rows, cols = far[0] - start[0], far[1] - start[1]
        length = math.ceil(max(abs(rows), abs(cols)))
        shifts, reached = [], 0
        while reached < length:
            step = min(reached + 1, length - reached)
            shifts.append((_part(rows, step, length), _part(cols, step, length)))
            reached += step
        return cls(start, tuple(shifts))

    @classmethod
    def away_from_sun(
        cls,
        sun_azimuth_deg: float,
        axes: PixelAxes,
        distance_m: tuple[float, float] = (0.0, SHADOW_REACH_M),
    ) -> Self:
        """The shadows at `distance_m`, from and to, when the sun stands at `sun_azimuth_deg`."""
        near, far = (axes.displacement(sun_azimuth_deg + 180.0, length) for length in distance_m)
        return cls.between(near, far)

    @property
    def halo_px(self) -> int:
        """Rows between a shadow and the farthest cloud that can throw it."""
        return sum(abs(row) for row, _ in (self.start, *self.shifts))

    def of(self, cloud: Bits) -> Bits:
        """Where shadows of `cloud`, (y, x), can be; clouds outside the array throw none."""
        reached = _shifted(cloud, *self.start)
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
