"""Finer pixels of a result than its overview has, as tiles inside the page.

Levels are powers of two coarser than the result. They are added from coarse to fine as long as they
fit, first for the layers that are looked at first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cloudfree.core.grid import Grid, Window
from cloudfree.report.embedding import DRAWINGS, REFERENCES, encoded
from cloudfree.report.layers import Layer, Place

TILE_PX = 512
# Half the pixels take at least so many times the bytes: what cannot fit is not drawn.
GROWTH = 2
# A level that is hardly finer than the overview is left out.
LEAST_GAIN = 1.5


@dataclass(frozen=True)
class ZoomLevel:
    """Tiles of a layer, row by row, in base64; one without data is empty.

    A pixel covers `factor` x `factor` of the result.
    """

    factor: int
    kind: str
    columns: int
    tiles: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return sum(len(tile) + len('"",') for tile in self.tiles)


@dataclass(frozen=True)
class Zoom:
    """The levels of the layers of a result of `width` x `height` pixels, coarse to fine.

    Keys of `levels` are the name and the composite of a layer, with a slash between. `finest` has
    the factor of the finest level for each group of layers.
    """

    width: int
    height: int
    pixel_m: float
    levels: dict[str, tuple[ZoomLevel, ...]]
    finest: dict[str, int]

    @property
    def full(self) -> bool:
        """Whether every layer can be seen in the pixels of the result."""
        return all(factor == 1 for factor in self.finest.values())

    def data(self) -> dict[str, Any]:
        """For the script of the page."""
        levels = {key: [vars(one) for one in of_layer] for key, of_layer in self.levels.items()}
        return {"width": self.width, "height": self.height, "tile": TILE_PX,
                "metres": self.pixel_m, "levels": levels}  # fmt: skip


# One level of each layer of a group, by its key.
_Level: TypeAlias = dict[str, ZoomLevel]


@dataclass(frozen=True)
class _Group:
    """Layers that are shown in the same pixels, under a name for people."""

    name: str
    has: Callable[[Layer], bool]


def _scenes(layer: Layer) -> bool:
    return layer.name in ("before", "after", "truth") and layer.composite in ("", "true")


# In the order in which they are looked at.
_GROUPS = (
    _Group("before and after", _scenes),
    _Group("masks", lambda layer: layer.name in DRAWINGS),
    _Group("radar", lambda layer: layer.name == "sar"),
    _Group("other dates", lambda layer: layer.name in REFERENCES
           and layer.composite in ("", "true")),
    _Group("false colour", lambda layer: layer.composite == "false"),
    _Group("short-wave infrared", lambda layer: layer.composite == "swir"),
    _Group("errors", lambda layer: layer.name in ("error", "uncertainty")),
)  # fmt: skip


def zoom_of(
    layers: Sequence[Layer], grid: Grid, pixel_m: float, overview_px: int, largest_bytes: int
) -> Zoom:
    """The levels that fit into so many bytes, finer than an overview of `overview_px` a side."""
    groups = {
        group.name: found
        for group in _GROUPS
        if (found := [layer for layer in layers if group.has(layer)])
    }
    longest = max(grid.height, grid.width)
    steps = factors(longest, overview_px)
    levels: dict[str, tuple[ZoomLevel, ...]] = {}
    finest: dict[str, int] = {}
    for name, group in groups.items():
        fitting = _levels_of(group, grid, steps, largest_bytes)
        largest_bytes -= sum(map(_size, fitting))
        finest[name] = steps[len(fitting) - 1] if fitting else math.ceil(longest / overview_px)
        for key in fitting[0] if fitting else ():
            levels[key] = tuple(one[key] for one in fitting)
    return Zoom(grid.width, grid.height, pixel_m, levels, finest)


def _levels_of(
    layers: Sequence[Layer], grid: Grid, steps: Sequence[int], largest_bytes: int
) -> list[_Level]:
    """The levels of a group that fit, coarse to fine."""
    found: list[_Level] = []
    for factor in steps:
        if found and GROWTH * _size(found[-1]) > largest_bytes:
            break
        level = _level_of(layers, grid, factor, largest_bytes)
        if level is None:
            break
        largest_bytes -= _size(level)
        found.append(level)
    return found


def _size(level: _Level) -> int:
    return sum(one.size for one in level.values())


def factors(longest_px: int, overview_px: int) -> list[int]:
    """The factors of the levels of a result, coarse to fine; none if the overview has all."""
    if longest_px <= overview_px:
        return []
    found = [1]
    while longest_px / (2 * found[-1]) >= LEAST_GAIN * overview_px:
        found.append(2 * found[-1])
    return found[::-1]


def _level_of(
    layers: Sequence[Layer], grid: Grid, factor: int, largest_bytes: int
) -> _Level | None:
    """A level of each of these layers; None, as soon as that is known, if they do not fit."""
    found = {}
    for layer in layers:
        kind = "png" if layer.name in DRAWINGS else "jpeg"
        tiles: list[str] = []
        for place in tile_places(grid, factor):
            tile = _tile(layer, place, kind)
            largest_bytes -= len(tile)
            if largest_bytes < 0:
                return None
            tiles.append(tile)
        columns = math.ceil(grid.width / (factor * TILE_PX))
        found[f"{layer.name}/{layer.composite}"] = ZoomLevel(factor, kind, columns, tuple(tiles))
    return found


def _tile(layer: Layer, place: Place, kind: str) -> str:
    pixels = layer.draw(place)
    return encoded(pixels, kind) if pixels[..., 3].any() else ""


def tile_places(grid: Grid, factor: int) -> Iterator[Place]:
    """The tiles of a level, row by row; those at the right and lower edge may be smaller."""
    height, width = math.ceil(grid.height / factor), math.ceil(grid.width / factor)
    level = Grid(grid.crs, grid.transform @ grid.transform.scale(factor), height, width)
    for row in range(0, height, TILE_PX):
        for col in range(0, width, TILE_PX):
            part = Window(row, col, min(TILE_PX, height - row), min(TILE_PX, width - col))
            top, left = row * factor, col * factor
            window = Window(
                top,
                left,
                min(part.height * factor, grid.height - top),
                min(part.width * factor, grid.width - left),
            )
            yield Place(window, level, part)
