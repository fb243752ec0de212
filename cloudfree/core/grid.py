"""Where the pixels of a scene lie on the Earth."""

from __future__ import annotations

from dataclasses import dataclass

from affine import Affine

from cloudfree.core.window import Window


@dataclass(frozen=True)
class Grid:
    """Coordinate system, geotransform and size of a scene.

    `crs` is a WKT string or None where the file names none; `transform` maps (column, row) of a
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

    def of(self, window: Window) -> Grid:
        """The grid of a part of the scene."""
        transform = self.transform @ Affine.translation(window.col, window.row)
        return Grid(self.crs, transform, window.height, window.width)

    def shifted(self, row: float, col: float) -> Grid:
        """The grid moved by pixels: its pixel (r, c) lies where (r + row, c + col) lay."""
        transform = self.transform @ Affine.translation(col, row)
        return Grid(self.crs, transform, self.height, self.width)
