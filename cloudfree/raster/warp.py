"""Where pixels lie on the Earth, and from one grid to another: positions, coverage, resampling."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.crs import GeographicCRS
from pyproj.crs.datum import CustomDatum, CustomPrimeMeridian
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetReader, MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling

from cloudfree.core.displacement import Displacement, PolynomialDisplacement, Shift
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.georeference import what_lacks

WGS84 = Geod(ellps="WGS84")
FULL_CIRCLE_DEG = 360.0

# A scene without a coordinate system is assumed to have a 10 m Sentinel-2 grid, north up.
ASSUMED_PIXEL_M = 10.0

# Two transforms are the same grid when no corner lies more than this many pixels apart.
SAME_GRID_PX = 1e-3


def grid_of(dataset: DatasetReader) -> Grid:
    """The grid of an open dataset.

    Raises
    ------
    InputError
        Its pixels have no area, or lie nowhere on the Earth.
    """
    crs = dataset.crs.to_wkt() if dataset.crs else None
    grid = Grid(crs, dataset.transform, dataset.height, dataset.width)
    if lacking := what_lacks(grid):
        name = "a virtual raster" if dataset.name.startswith("<") else Path(dataset.name).name
        raise InputError(
            f"{name} lies nowhere on the Earth: {lacking}",
            wanted="a geotransform with pixels that have an area, and coordinates of the Earth",
            hint="correct them, for example with `rio edit-info`",
            code=ErrorCode.WRONG_GRID,
        )
    return grid


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two grids match pixel by pixel; a missing coordinate system matches any."""
    if (one.height, one.width) != (other.height, other.width):
        return False
    if not (one.crs and other.crs):
        return True
    # Parsing takes longer than reading a tile.
    if one.crs != other.crs and CRS.from_wkt(one.crs) != CRS.from_wkt(other.crs):
        return False
    corners = [(0, 0), (one.width, 0), (0, one.height), (one.width, one.height)]
    apart = [np.subtract(~one.transform @ (other.transform @ corner), corner) for corner in corners]
    return bool(np.abs(apart).max() < SAME_GRID_PX)


def placed(source: Grid, grid: Grid) -> Grid | None:
    """The grid of another scene, seen from `grid`; None if one of the two lies nowhere.

    Without a coordinate system, scenes of one size are taken to lie on each other.
    """
    if source.crs and grid.crs:
        return source
    return grid if (source.height, source.width) == (grid.height, grid.width) else None


def displacement_px(grid: Grid, azimuth_deg: float, distance_m: float) -> tuple[float, float]:
    """Displacement, in rows and columns, of `distance_m` towards `azimuth_deg` from the centre.

    The azimuth is counted clockwise from geographic north.
    """
    if grid.crs is None:
        angle = math.radians(azimuth_deg)
        pixels = distance_m / ASSUMED_PIXEL_M
        return -pixels * math.cos(angle), pixels * math.sin(angle)
    to_lonlat = Transformer.from_crs(CRS.from_wkt(grid.crs), "EPSG:4326", always_xy=True)
    centre = (grid.width / 2, grid.height / 2)
    lon, lat = to_lonlat.transform(*(grid.transform @ centre))
    east, north = WGS84.fwd(lon, lat, azimuth_deg, distance_m)[:2]
    east -= FULL_CIRCLE_DEG * round((east - lon) / FULL_CIRCLE_DEG)  # across 180 degrees
    col, row = ~grid.transform @ to_lonlat.transform(east, north, direction="INVERSE")
    return row - centre[1], col - centre[0]


def pixel_size_m(grid: Grid) -> float:
    """Ground length of a pixel's side in metres: the mean of both sides at the scene's centre."""
    per_metre = [math.hypot(*displacement_px(grid, azimuth, 1.0)) for azimuth in (0.0, 90.0)]
    return 2.0 / sum(per_metre)


Positions = NDArray[np.float64]
UInt8Image = NDArray[np.uint8]

# Points per edge of a footprint: the edge of a 110 km tile bends by less than a pixel between two.
EDGE_POINTS = 65

# Pixels around what is needed: the kernel's two, and the sagitta of an edge between two points.
MARGIN_PX = 4

# GDAL's error threshold in pixels: with a larger one, the result depends on the window that is
# requested. Not zero, which WarpedVRT cannot take, and not `reproject`, which ignores it
# (both seen in rasterio 1.4.4).
TOLERANCE_PX = 1e-9
# That of classes, which keep their values: a pixel beside the nearest may be taken in a tie.
NEAREST_TOLERANCE_PX = 0.01

PLACEHOLDER_CRS = "EPSG:3857"

# Pixel sizes with a ratio above this count as equal: no averaging.
EQUAL_SIZE = 0.9


def positions(source: Grid, target: Grid, at: Positions) -> Positions:
    """Where pixel positions (column, row) of `source` lie in `target`, (n, 2); inf where undefined.

    Longitudes are counted from the middle of `target`, so that grids may cross the antimeridian.
    """
    x, y = _apply(source.transform, at[:, 0], at[:, 1])
    if source.crs and target.crs and source.crs != target.crs:
        x, y = _transformer(source.crs, target.crs).transform(x, y)
        if CRS.from_wkt(target.crs).is_geographic:
            middle = (target.transform @ (target.width / 2, target.height / 2))[0]
            x = (x - middle + 180.0) % 360.0 - 180.0 + middle
    return np.stack(_apply(~target.transform, x, y), axis=1)


def unwrapped_longitudes(grid: Grid) -> Grid:
    """The same grid, its longitudes counted from its middle if it crosses the antimeridian.

    GDAL's longitudes run from -180 to 180, where such a grid would be found on one side only.
    """
    if not (grid.crs and CRS.from_wkt(grid.crs).is_geographic):
        return grid
    left, right = grid.transform.c, grid.transform.c + grid.transform.a * grid.width
    if min(left, right) >= -180 and max(left, right) <= 180:
        return grid
    middle = float(round((left + right) / 2))
    transform = Affine.translation(-middle, 0) @ grid.transform
    return Grid(_counted_from(middle, grid.crs), transform, grid.height, grid.width)


def covered_share(grid: Grid, by: Grid) -> float:
    """Fraction of the pixels of `grid`, 0 to 1, inside the footprint of another grid."""
    return share_within(grid, positions(by, grid, outline(by)))


def share_within(grid: Grid, outline: Positions) -> float:
    """Fraction of `grid`, 0 to 1, inside an outline of pixel positions (column, row)."""
    scene = shapely.box(0, 0, grid.width, grid.height)
    return float(polygon_of(outline).intersection(scene).area / scene.area)


def polygon_of(outline: Positions) -> shapely.Geometry:
    """The polygon within an outline, (n, 2); empty if it is nowhere."""
    edge = outline[np.isfinite(outline).all(axis=1)]
    return shapely.make_valid(shapely.Polygon(edge)) if len(edge) >= 3 else shapely.Polygon()


def needed_window(source: Grid, target: Grid) -> Window | None:
    """The part of `source` that resampling to `target` reads, None if they do not intersect."""
    edge = positions(target, source, outline(target))
    edge = edge[np.isfinite(edge).all(axis=1)]
    if not len(edge):
        return None
    x_scale, y_scale = reduction(source, target)
    margin = np.array([MARGIN_PX / x_scale, MARGIN_PX / y_scale])
    size = (source.width, source.height)
    start = np.clip(np.floor(edge.min(axis=0) - margin), 0, size).astype(int)
    stop = np.clip(np.ceil(edge.max(axis=0) + margin), 0, size).astype(int)
    width, height = (int(length) for length in stop - start)
    return Window(int(start[1]), int(start[0]), height, width) if width and height else None


def displaced_grid(grid: Grid, window: Window, displacement: Displacement) -> Grid | None:
    """The grid on which Sentinel-1 shows what a window of `grid` shows.

    None if there is no such grid, as the displacement is no affine.
    """
    if isinstance(displacement, Shift):
        return grid.crop(window).shifted(displacement.row, displacement.col)
    if not isinstance(displacement, PolynomialDisplacement) or displacement.degree > 1:
        return None
    moved = Grid(grid.crs, grid.transform @ displacement.transform, grid.height, grid.width)
    return moved.crop(window)


def reduction(source: Grid, target: Grid) -> tuple[float, float]:
    """Target pixels per source pixel along the source's x and y, at most 1."""
    middle = np.array([target.width / 2, target.height / 2])
    there = positions(target, source, middle + np.array([(0, 0), (1, 0), (0, 1)]))
    steps = there[1:] - there[0]
    return _scale(math.hypot(*steps[:, 0])), _scale(math.hypot(*steps[:, 1]))


def resample(values: Float32, source: Grid, target: Grid, scale: tuple[float, float]) -> Float32:
    """Bilinear resampling of (band, y, x) to another grid; NaN is nodata and has no weight.

    Bilinear, because a cubic kernel overshoots next to bright targets and makes power negative.
    Where the target is coarser the kernel widens by `scale` (as `reduction` gives it for the whole
    grids) and averages: the scale that GDAL finds by itself depends on the part it is given.
    """
    # GDAL requires a coordinate system; grids without one share a placeholder.
    named = source.crs and target.crs
    with (
        ignored_warning(NotGeoreferencedWarning),
        MemoryFile() as memory,
        _in_memory(memory, values, source, np.nan) as dataset,
        WarpedVRT(
            dataset, src_crs=source.crs if named else PLACEHOLDER_CRS,
            crs=target.crs if named else PLACEHOLDER_CRS, transform=target.transform,
            height=target.height, width=target.width, nodata=np.nan,
            resampling=Resampling.bilinear, tolerance=TOLERANCE_PX,
            XSCALE=scale[0], YSCALE=scale[1],
        ) as warped,
    ):  # fmt: skip
        return np.asarray(warped.read(), dtype=np.float32)


def nearest(classes: UInt8Image, source: Grid, target: Grid, outside: int) -> UInt8Image:
    """The class of the nearest pixel, (y, x), on another grid; `outside` where there is none.

    `outside` is no data in `classes`, too.
    """
    named = source.crs and target.crs
    with (
        ignored_warning(NotGeoreferencedWarning),
        MemoryFile() as memory,
        _in_memory(memory, classes[np.newaxis], source, outside) as dataset,
        WarpedVRT(
            dataset, src_crs=source.crs if named else PLACEHOLDER_CRS,
            crs=target.crs if named else PLACEHOLDER_CRS, transform=target.transform,
            height=target.height, width=target.width, nodata=outside,
            resampling=Resampling.nearest, tolerance=NEAREST_TOLERANCE_PX,
        ) as warped,
    ):  # fmt: skip
        return np.asarray(warped.read(1), dtype=np.uint8)


def grid_by_size(height: int, width: int, scene: Grid) -> Grid | None:
    """The grid of `height` x `width` pixels over the ground of a scene; None if none nests.

    One of the two has `k` x `k` pixels in each of the other's; `k` is a whole number.
    """
    coarse, fine = sorted([(height, width), (scene.height, scene.width)])
    factor = fine[0] // coarse[0]
    if (coarse[0] * factor, coarse[1] * factor) != fine:
        return None
    scale = scene.transform.scale(scene.width / width, scene.height / height)
    return Grid(scene.crs, scene.transform @ scale, height, width)


def extent(grid: Grid) -> str:
    """Bounds of a grid in words: x from-to, y from-to, and in which coordinates."""
    corners = [(0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height)]
    x, y = zip(*(grid.transform @ corner for corner in corners), strict=True)
    name = CRS.from_wkt(grid.crs).name if grid.crs else "no coordinate system"
    return f"x {min(x):.7g} to {max(x):.7g}, y {min(y):.7g} to {max(y):.7g} ({name})"


def _counted_from(longitude_deg: float, crs: str) -> str:
    """A geographic coordinate system with another prime meridian."""
    base = CRS.from_wkt(crs)
    meridian = CustomPrimeMeridian(longitude=longitude_deg, name=f"{longitude_deg:g}")
    datum = CustomDatum(base.name, ellipsoid=base.ellipsoid, prime_meridian=meridian)
    return GeographicCRS(base.name, datum).to_wkt()


def _in_memory(
    memory: MemoryFile, values: NDArray[np.generic], grid: Grid, nodata: float
) -> DatasetReader:
    """A dataset of (band, y, x); without a CRS, as GeoTIFF loses an unusual prime meridian."""
    count, height, width = values.shape
    with memory.open(
        driver="GTiff", count=count, height=height, width=width, dtype=values.dtype,
        transform=grid.transform, nodata=nodata,
    ) as dataset:  # fmt: skip
        dataset.write(values)
    return memory.open()


def _apply(transform: Affine, x: Positions, y: Positions) -> tuple[Positions, Positions]:
    a, b, c, d, e, f = transform[:6]
    return a * x + b * y + c, d * x + e * y + f


def outline(grid: Grid) -> Positions:
    """Pixel positions (column, row) around a grid, (4 * EDGE_POINTS, 2)."""
    along = np.linspace(0.0, 1.0, EDGE_POINTS)
    zero, one = np.zeros(EDGE_POINTS), np.ones(EDGE_POINTS)
    sides = [(along, zero), (one, along), (along[::-1], one), (zero, along[::-1])]
    ring = np.concatenate([np.stack(side, axis=1) for side in sides])
    return ring * (grid.width, grid.height)


def _scale(source_px: float) -> float:
    ratio = 1.0 / source_px if math.isfinite(source_px) else 1.0
    return ratio if ratio < EQUAL_SIZE else 1.0


@functools.lru_cache(maxsize=16)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(CRS.from_wkt(source), CRS.from_wkt(target), always_xy=True)
