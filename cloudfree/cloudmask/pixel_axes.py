"""From metres on the ground to rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PixelAxes:
    """Rows and columns that one moves by going one metre north, and one metre east.

    A scene is small enough for one pair of axes: over its 110 km the direction of north turns by
    less than 2 degrees away from the poles.
    """

    north: tuple[float, float]
    east: tuple[float, float]

    def displacement(self, azimuth_deg: float, distance_m: float) -> tuple[float, float]:
        """Rows and columns to a point `distance_m` away, azimuth clockwise from north."""
        angle = math.radians(azimuth_deg)
        northward, eastward = distance_m * math.cos(angle), distance_m * math.sin(angle)
        return (
            northward * self.north[0] + eastward * self.east[0],
            northward * self.north[1] + eastward * self.east[1],
        )

    @property
    def px_per_m(self) -> tuple[float, float]:
        """Rows and columns per metre, whatever the direction."""
        return math.hypot(self.north[0], self.east[0]), math.hypot(self.north[1], self.east[1])

    @property
    def pixel_m(self) -> float:
        """Side of a pixel in metres: the mean over both axes."""
        return 2.0 / (math.hypot(*self.north) + math.hypot(*self.east))

    def every(self, step: int) -> PixelAxes:
        """The axes of the raster that keeps every `step`-th row and column."""
        (a, b), (c, d) = self.north, self.east
        return PixelAxes((a / step, b / step), (c / step, d / step))
