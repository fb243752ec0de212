"""Areas of interest, and the window of a scene that covers one."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely
from affine import Affine
from pyproj import CRS

from cloudfree.core.grid import Grid, Window
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.geographic_bounds import geographic_bounds
from cloudfree.raster.warp import SAME_GRID_PX, Positions, extent, outline, positions

logger = logging.getLogger("cloudfree")

# Longitude and latitude as column and row.
_DEGREES = Grid(CRS.from_epsg(4326).to_wkt(), Affine.identity(), 1, 1)

# Points of an edge lie no further apart: a parallel bends by less than a metre between two.
STEP_DEG = 0.05

# What lies further from a scene than this is not projected: far from a zone UTM has no meaning.
NEIGHBOURHOOD_DEG = 1.0

HALF_CIRCLE_DEG, RIGHT_ANGLE_DEG = 180.0, 90.0

Ring = Sequence[tuple[float, float]]


class Area(Protocol):
    """What decides which part of a scene is read."""

    def window(self, grid: Grid, name: str) -> Window:
        """The smallest window of the scene `name` that covers the area, cut at its borders.

        Raises
        ------
        InputError
            The scene has no coordinate system, or shows nothing of the area.
        """
        ...


@dataclass(frozen=True)
class GeographicArea:
    """Rings of (longitude, latitude) in degrees, EPSG:4326; `name` is used in messages.

    Raises
    ------
    InputError
        Positions that are none, or an area without extent.
    """

    name: str
    rings: tuple[Ring, ...]

    def __post_init__(self) -> None:
        west, south, east, north = _bounds(self.rings)
        if not (
            -HALF_CIRCLE_DEG <= west <= east <= HALF_CIRCLE_DEG
            and -RIGHT_ANGLE_DEG <= south <= north <= RIGHT_ANGLE_DEG
        ):
            raise InputError(
                f"{self.name} reaches from {west:.7g} to {east:.7g} and from {south:.7g} to "
                f"{north:.7g}",
                wanted="longitudes of -180 to 180 and latitudes of -90 to 90 degrees (EPSG:4326)",
                hint="transform it first, as with `ogr2ogr -t_srs EPSG:4326`",
                code=ErrorCode.BAD_OPTION,
            )
        if west == east or south == north:
            raise InputError(
                f"{self.name} has no extent",
                wanted="an area of some width and height",
                hint="correct it",
                code=ErrorCode.BAD_OPTION,
            )

    @property
    def width_deg(self) -> float:
        """From the westernmost to the easternmost point."""
        west, _, east, _ = _bounds(self.rings)
        return east - west

    def window(self, grid: Grid, name: str) -> Window:
        """As `Area.window`; the window of several rings covers them all."""
        _require_coordinates(grid, name)
        return _covering(positions(_DEGREES, grid, self._points_near(grid)), grid, name, self.name)

    def _points_near(self, grid: Grid) -> Positions:
        """The rings as (n, 2), with what is far away moved to where the neighbourhood ends."""
        lines = shapely.segmentize([shapely.LineString(ring) for ring in self.rings], STEP_DEG)
        points: Positions = shapely.get_coordinates(lines)
        near = geographic_bounds(grid)
        if near is None or near.west > near.east:
            return points
        low = np.array([near.west, near.south]) - NEIGHBOURHOOD_DEG
        return np.clip(points, low, np.array([near.east, near.north]) + NEIGHBOURHOOD_DEG)


def box_area(bounds: Sequence[float]) -> GeographicArea:
    """The area between west, south, east and north, in degrees (EPSG:4326).

    Raises
    ------
    InputError
        These are not four numbers in that order, or no area of the Earth.
    """
    name = f"--bbox {','.join(f'{bound:.9g}' for bound in bounds)}"
    if len(bounds) != 4 or not all(map(math.isfinite, bounds)):
        raise _no_box(name)
    west, south, east, north = bounds
    if west > east and max(abs(west), abs(east)) <= HALF_CIRCLE_DEG and south < north:
        raise over_the_antimeridian(name)
    if west >= east or south >= north:
        raise _no_box(name)
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return GeographicArea(name, (corners,))


@dataclass(frozen=True)
class SceneArea:
    """The ground of another scene, and `margin_px` of its pixels around."""

    grid: Grid
    margin_px: int = 0

    def window(self, grid: Grid, name: str) -> Window:
        """As `Area.window`."""
        _require_coordinates(grid, name)
        margin = self.margin_px
        transform = self.grid.transform @ Affine.translation(-margin, -margin)
        height, width = self.grid.height + 2 * margin, self.grid.width + 2 * margin
        wide = Grid(self.grid.crs, transform, height, width)
        found = _window(positions(wide, grid, outline(wide)), grid)
        if found is None:
            raise _apart(name, grid, f"the scene at {extent(self.grid)}")
        return found


def _covering(at: Positions, grid: Grid, name: str, area: str) -> Window:
    """The window, with a warning if the area goes on outside of it."""
    found = _window(at, grid)
    if found is None:
        raise _apart(name, grid, area)
    size = np.array([grid.width, grid.height])
    if (at < -SAME_GRID_PX).any() or (at > size + SAME_GRID_PX).any():
        logger.warning("%s reaches beyond %s: what lies in both is used", area, name)
    return found


def _window(at: Positions, grid: Grid) -> Window | None:
    """The whole pixels that cover positions (column, row), (n, 2); None if there are none."""
    at = at[np.isfinite(at).all(axis=1)]
    if not len(at):
        return None
    size = np.array([grid.width, grid.height])
    first = np.floor(at.min(axis=0) + SAME_GRID_PX)
    last = np.maximum(np.ceil(at.max(axis=0) - SAME_GRID_PX), first + 1)
    start, stop = (np.clip(edge, 0, size).astype(int) for edge in (first, last))
    width, height = (int(length) for length in stop - start)
    return Window(int(start[1]), int(start[0]), height, width) if width and height else None


def _bounds(rings: Sequence[Ring]) -> tuple[float, float, float, float]:
    """West, south, east and north; NaN, which lies within no bounds, for what is no number."""
    points = np.concatenate([np.asarray(ring, dtype=np.float64) for ring in rings])
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _require_coordinates(grid: Grid, name: str) -> None:
    if grid.crs is None:
        raise InputError(
            f"no coordinate system in {name}, of which a part is asked for",
            wanted="a scene with coordinates",
            hint="georeference it, for example with `gdal_edit -a_srs -a_ullr`, or take the whole "
            "scene",
            code=ErrorCode.WRONG_GRID,
        )


def _apart(name: str, grid: Grid, area: str) -> InputError:
    bounds = geographic_bounds(grid)
    degrees = (
        f"{bounds.west:.5g},{bounds.south:.5g},{bounds.east:.5g},{bounds.north:.5g}"
        if bounds
        else extent(grid)
    )
    return InputError(
        f"{area} has no pixel of {name}",
        wanted=f"an area within {degrees} (west, south, east, north)",
        hint="check the order of longitude and latitude, or give the scene of this area",
        code=ErrorCode.NO_OVERLAP,
    )


def over_the_antimeridian(name: str) -> InputError:
    """The error of an area that reaches over 180 degrees."""
    return InputError(
        f"{name} crosses the antimeridian",
        wanted="an area on one side of it, west before east",
        hint="run both sides one after the other",
        code=ErrorCode.BAD_OPTION,
    )


def _no_box(name: str) -> InputError:
    return InputError(
        name,
        wanted="WEST,SOUTH,EAST,NORTH in degrees (EPSG:4326), west below east and south below "
        "north",
        hint="correct the order of the numbers",
        code=ErrorCode.BAD_OPTION,
    )
