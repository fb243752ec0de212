"""Where one scene lies on the grid of another, as a polygon of its pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely

from cloudfree.core.grid import Window
from cloudfree.raster.warp import Positions, polygon_of


@dataclass(frozen=True)
class Footprint:
    """A polygon of pixel positions (column, row); empty where the scenes do not meet."""

    polygon: shapely.Geometry

    @classmethod
    def within(cls, outline: Positions) -> Footprint:
        """The footprint inside an outline, (n, 2)."""
        return cls(polygon_of(outline))

    @classmethod
    def union(cls, footprints: Iterable[Footprint]) -> Footprint:
        """What any of them covers."""
        return cls(shapely.union_all([one.polygon for one in footprints]))

    def share(self, window: Window) -> float:
        """Fraction of a window, 0 to 1, that is covered."""
        box = _box(window)
        return float(self.polygon.intersection(box).area / box.area)

    def part(self, window: Window) -> Window | None:
        """The smallest window that holds what is covered of one; None if nothing is."""
        covered = self.polygon.intersection(_box(window))
        if not covered.area:
            return None
        left, top, right, bottom = covered.bounds
        col, row = (int(np.floor(edge + _EDGE_PX)) for edge in (left, top))
        col_stop, row_stop = (int(np.ceil(edge - _EDGE_PX)) for edge in (right, bottom))
        return Window(row, col, max(row_stop - row, 1), max(col_stop - col, 1))


# Less of a pixel than this is not covered: coordinates are rounded.
_EDGE_PX = 1e-3


def _box(window: Window) -> shapely.Polygon:
    return shapely.box(window.col, window.row, window.col_stop, window.row_stop)
