"""Positions of the pixels of an optical grid in the image of a GRD product."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from pyproj import CRS, Transformer

from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float64
from cloudfree.raster.resample import bilinear
from cloudfree.raster.warp import pixel_size_m
from cloudfree.sentinel1.geolocation import CoarseHeights, Geolocation

# Spacing of the nodes at which ground points are located; positions between them are bilinear. Over
# this distance the image of a smooth surface bends by less than a thousandth of a pixel.
NODE_STEP_M = 160.0

# Fixed-point iterations of height and image position: after these neither changes by a pixel, even
# between a plain and a summit.
HEIGHT_STEPS = 4

WGS84 = "EPSG:4326"


class Heights(Protocol):
    """Ground heights on an optical grid."""

    def on_grid(self, grid: Grid, window: Window) -> Float64:
        """Metres above the ellipsoid at each pixel of a window, (y, x)."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class ImagePositions:
    """Locates pixels of optical grids in the image.

    Heights come from `heights`, or else from the tie points, which lie kilometres apart.
    """

    def __init__(
        self, geolocation: Geolocation, coarse: CoarseHeights, heights: Heights | None
    ) -> None:
        self._geolocation, self._coarse, self._heights = geolocation, coarse, heights

    def locate(self, grid: Grid, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Line and pixel, counted in pixel centres, of positions on a grid; NaN beyond the image.

        `rows` and `cols`, (y, x), count the pixel centres of `grid`.
        """
        nodes = Nodes.around(rows, cols, max(int(NODE_STEP_M / pixel_size_m(grid)), 1))
        longitude, latitude = lonlat(grid, *nodes.positions())
        if self._heights is None:
            return nodes.interpolate(self._on_coarse(longitude, latitude), rows, cols)
        heights = self._heights.on_grid(grid, nodes.area)
        at_positions = _interpolate(heights, rows - nodes.area.row, cols - nodes.area.col)
        return self._on_relief(longitude, latitude, at_positions, nodes, rows, cols)

    def _on_coarse(self, longitude: Float64, latitude: Float64) -> tuple[Float64, Float64]:
        height = np.zeros_like(longitude)
        for _ in range(HEIGHT_STEPS):
            positions = self._geolocation.locate(longitude, latitude, height)
            height = self._coarse.locate(*positions)
        return self._geolocation.locate(longitude, latitude, height)

    def _on_relief(
        self,
        longitude: Float64,
        latitude: Float64,
        heights: Float64,
        nodes: Nodes,
        rows: Float64,
        cols: Float64,
    ) -> tuple[Float64, Float64]:
        """Interpolate linearly between the positions for the lowest and the highest ground.

        Over 3000 m of height the error is a third of a pixel.
        """
        if not np.isfinite(heights).any():
            return np.full_like(rows, np.nan), np.full_like(rows, np.nan)
        low, high = float(np.nanmin(heights)), float(np.nanmax(heights)) + 1.0
        share = (heights - low) / (high - low)
        ends = [
            nodes.interpolate(
                self._geolocation.locate(longitude, latitude, np.full_like(longitude, height)),
                rows, cols,
            )
            for height in (low, high)
        ]  # fmt: skip
        line, pixel = (a * (1 - share) + b * share for a, b in zip(*ends, strict=True))
        return line, pixel


@dataclass(frozen=True)
class Nodes:
    """Every `step`-th row and column of an area of a grid, from its corner to its end.

    Nodes are multiples of the step, so that they do not depend on the requested window.
    """

    area: Window
    step: int

    @classmethod
    def around(cls, rows: Float64, cols: Float64, step: int) -> Nodes:
        """The smallest set of nodes that encloses positions."""
        top, left = (int(np.floor(p.min() / step)) * step for p in (rows, cols))
        bottom, right = (int(np.floor(p.max() / step) + 1) * step for p in (rows, cols))
        return cls(Window(top, left, bottom - top + 1, right - left + 1), step)

    def positions(self) -> tuple[Float64, Float64]:
        """Rows and columns of the nodes."""
        area = self.area
        rows, cols = np.mgrid[
            area.row : area.row_stop : self.step, area.col : area.col_stop : self.step
        ].astype(np.float64)
        return rows, cols

    def interpolate(
        self, values: tuple[Float64, Float64], rows: Float64, cols: Float64
    ) -> tuple[Float64, Float64]:
        """Interpolated line and pixel; their minima are subtracted to keep float32 exact."""
        if not np.isfinite(values[0]).any():
            return np.full_like(rows, np.nan), np.full_like(rows, np.nan)
        at = (rows - self.area.row) / self.step, (cols - self.area.col) / self.step
        minima = [float(np.nanmin(value)) for value in values]
        line, pixel = (
            _interpolate(value - start, *at) + start
            for value, start in zip(values, minima, strict=True)
        )
        return line, pixel


def lonlat(grid: Grid, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
    """Longitude and latitude of pixel centres of a grid."""
    assert grid.crs is not None
    transform = grid.transform
    x = transform.a * (cols + 0.5) + transform.b * (rows + 0.5) + transform.c
    y = transform.d * (cols + 0.5) + transform.e * (rows + 0.5) + transform.f
    longitude, latitude = _to_lonlat(grid.crs).transform(x, y)
    return longitude, latitude


@functools.lru_cache(maxsize=16)
def _to_lonlat(crs: str) -> Transformer:
    return Transformer.from_crs(CRS.from_wkt(crs), WGS84, always_xy=True)


def _interpolate(image: Float64, rows: Float64, cols: Float64) -> Float64:
    """An image, (y, x), at fractional rows and columns."""
    found = bilinear(image[np.newaxis].astype(np.float32), rows, cols)[0]
    return np.asarray(found, dtype=np.float64)
