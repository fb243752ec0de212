"""Windows of pixels, and grids: their position on the Earth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from affine import Affine


@dataclass(frozen=True)
class Window:
    """Rows `row .. row + height` and columns `col .. col + width` of a raster, in pixels."""

    row: int
    col: int
    height: int
    width: int

    @property
    def row_stop(self) -> int:
        """First row below the window."""
        return self.row + self.height

    @property
    def col_stop(self) -> int:
        """First column right of the window."""
        return self.col + self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices into an array that covers the whole raster."""
        return slice(self.row, self.row_stop), slice(self.col, self.col_stop)

    def relative_to(self, outer: Window) -> tuple[slice, slice]:
        """Row and column slices into an array that covers `outer`."""
        return (
            slice(self.row - outer.row, self.row_stop - outer.row),
            slice(self.col - outer.col, self.col_stop - outer.col),
        )

    def within(self, outer: Window) -> Window:
        """The window, which is counted from the corner of `outer`, counted as `outer` is."""
        return Window(outer.row + self.row, outer.col + self.col, self.height, self.width)

    def buffered(self, halo: int, height: int, width: int) -> Window:
        """The window with `halo` more pixels on each side, cut at a `height` x `width` raster."""
        row, col = max(self.row - halo, 0), max(self.col - halo, 0)
        row_stop = min(self.row_stop + halo, height)
        col_stop = min(self.col_stop + halo, width)
        return Window(row, col, row_stop - row, col_stop - col)


def strips(height: int, width: int, rows: int) -> Iterator[Window]:
    """Windows as wide as the raster and at most `rows` high, from top to bottom."""
    for row in range(0, height, rows):
        yield Window(row, 0, min(rows, height - row), width)


@dataclass(frozen=True)
class Grid:
    """Coordinate system, geotransform and size of a scene.

    `crs` is a WKT string or None if the file has none; `transform` maps (column, row) of a
    pixel corner to coordinates of `crs`.
    """

    crs: str | None
    transform: Affine
    height: int
    width: int

    @property
    def window(self) -> Window:
        """The whole grid as a window."""
        return Window(0, 0, self.height, self.width)

    def crop(self, window: Window) -> Grid:
        """The grid of a part of the scene."""
        transform = self.transform @ Affine.translation(window.col, window.row)
        return Grid(self.crs, transform, window.height, window.width)

    def shifted(self, row: float, col: float) -> Grid:
        """The grid moved by pixels: its pixel (r, c) lies where (r + row, c + col) lay."""
        transform = self.transform @ Affine.translation(col, row)
        return Grid(self.crs, transform, self.height, self.width)
