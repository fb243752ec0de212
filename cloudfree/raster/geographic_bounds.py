"""The longitudes and latitudes between which a grid lies: a quick look at where scenes meet."""

from __future__ import annotations

from dataclasses import dataclass

from pyproj import CRS, Transformer

from cloudfree.core.grid import Grid

_WGS84 = CRS.from_epsg(4326)
_FULL_CIRCLE_DEG = 360.0


@dataclass(frozen=True)
class GeographicBounds:
    """A rectangle of longitudes and latitudes in degrees; `east` may lie over the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def meet(self, other: GeographicBounds) -> bool:
        """Whether two rectangles share more than an edge."""
        if self.south >= other.north or other.south >= self.north:
            return False
        return self._reaches(other.west) or other._reaches(self.west)

    def _reaches(self, longitude: float) -> bool:
        """Whether the rectangle goes on to the east of a longitude."""
        width = (self.east - self.west) % _FULL_CIRCLE_DEG
        return (longitude - self.west) % _FULL_CIRCLE_DEG < width


def geographic_bounds(grid: Grid) -> GeographicBounds | None:
    """The bounds of a grid on WGS 84; None if it has no coordinate system."""
    if grid.crs is None:
        return None
    corners = [(0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height)]
    x, y = zip(*(grid.transform @ corner for corner in corners), strict=True)
    to_degrees = Transformer.from_crs(CRS.from_wkt(grid.crs), _WGS84, always_xy=True)
    return GeographicBounds(*to_degrees.transform_bounds(min(x), min(y), max(x), max(y)))
