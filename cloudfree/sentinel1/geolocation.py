"""Image coordinates, in a GRD product, of ground points and of the pixels of an optical grid.

The product gives tie points: ground points with their height, and the line, pixel and slant range
at which the image shows them. Heights change by hundreds of metres between them, and a metre of
height moves a point by one to two metres in range; so pixels cannot be interpolated between tie
points. The slant range at height 0 is smooth and can.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from cloudfree.core.displacement import monomials
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float64
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.resample import bilinear
from cloudfree.raster.warp import pixel_size_m
from cloudfree.sentinel1.annotation import Annotation, GeolocationGrid, GroundRange
from cloudfree.sentinel1.annotation_xml import Times

# Degrees of the polynomials: with these, tie points held out of the fit of a real product over
# 1800 m of relief are found to 0.05 lines and 0.04 m of slant range (root mean square).
LINE_DEGREE, RANGE_DEGREE, ANGLE_DEGREE = 4, 5, 3

# Tie points that lie further from their fit are wrong: a hundred times what is left of right ones.
LINES_APART, RANGE_APART_M = 5.0, 50.0

# Tie points per coefficient: more than one, so that the fit is overdetermined.
SPARE_POINTS = 1.5

# Polynomials diverge beyond the image: they are evaluated up to this, in halves of the image.
REACH = 1.2

_TO_EARTH_FIXED = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


class Geolocation(Protocol):
    """Locates ground points in an image."""

    def locate(
        self, longitude: Float64, latitude: Float64, height_m: Float64
    ) -> tuple[Float64, Float64]:
        """Line and pixel, counted in pixel centres, of ground points; NaN beyond the image."""
        ...


class GridGeolocation:
    """Locates ground points by the tie points of the product."""

    def __init__(self, annotation: Annotation) -> None:
        points = annotation.tie_points
        self._frame = LocalFrame.from_points(points)
        u, v = self._frame.project(points.longitude, points.latitude)
        cosine = np.cos(np.radians(points.incidence_deg))
        at_zero = points.slant_range_m + points.height_m * cosine
        self._line = Polynomial.fit(u, v, points.line, LINE_DEGREE)
        self._range = Polynomial.fit(u, v, at_zero, RANGE_DEGREE)
        self._cosine = Polynomial.fit(u, v, cosine, ANGLE_DEGREE)
        self._to_pixel = slant_range_to_pixel(annotation)
        self._times = TimeOfLine(points)
        self._check_tie_points(points, u, v, at_zero)

    def _check_tie_points(
        self, points: GeolocationGrid, u: Float64, v: Float64, at_zero: Float64
    ) -> None:
        """Refuse tie points of which one does not lie where the others say: a number is wrong."""
        lines = np.abs(self._line.evaluate(u, v) - points.line).max()
        times = np.abs(self._times.line(seconds(points.time, self._times.epoch)) - points.line)
        ranges = np.abs(self._range.evaluate(u, v) - at_zero).max()
        if not (max(lines, times.max()) < LINES_APART and ranges < RANGE_APART_M):
            raise InputError(
                f"tie points that contradict each other by {max(lines, times.max()):.0f} lines and "
                f"{ranges:.0f} m of slant range",
                wanted=f"less than {LINES_APART:g} lines and {RANGE_APART_M:g} m",
                hint="download the product again",
                code=ErrorCode.UNREADABLE,
            )

    def locate(
        self, longitude: Float64, latitude: Float64, height_m: Float64
    ) -> tuple[Float64, Float64]:
        """Line and pixel, counted in pixel centres, of ground points; NaN beyond the image."""
        u, v = self._frame.project(longitude, latitude)
        line = self._line.evaluate(u, v)
        slant_range = self._range.evaluate(u, v) - height_m * self._cosine.evaluate(u, v)
        pixel = self._to_pixel(self._times.evaluate(line), slant_range)
        beyond = (np.abs(u) > REACH) | (np.abs(v) > REACH)
        return np.where(beyond, np.nan, line), np.where(beyond, np.nan, pixel)


class CoarseHeights:
    """The heights of the tie points, bilinear between them."""

    def __init__(self, points: GeolocationGrid) -> None:
        self._lines, self._pixels = np.unique(points.line), np.unique(points.pixel)
        shape = (len(self._lines), len(self._pixels))
        if min(shape) < 2 or points.height_m.size != shape[0] * shape[1]:
            raise InputError(
                f"{points.height_m.size} tie points on {shape[0]} lines and {shape[1]} pixels",
                wanted="a geolocation grid with a point for each line and pixel",
                hint="download the product again",
                code=ErrorCode.UNREADABLE,
            )
        order = np.lexsort((points.pixel, points.line))
        self._heights = points.height_m[order].reshape(shape)

    def locate(self, line: Float64, pixel: Float64) -> Float64:
        """Heights in metres at positions in the image; beyond it those of its edge."""
        row, down = _between(np.nan_to_num(line), self._lines)
        col, right = _between(np.nan_to_num(pixel), self._pixels)
        grid = self._heights
        upper = grid[row, col] * (1 - right) + grid[row, col + 1] * right
        lower = grid[row + 1, col] * (1 - right) + grid[row + 1, col + 1] * right
        return np.asarray(upper * (1 - down) + lower * down)


@dataclass(frozen=True)
class LocalFrame:
    """Coordinates that run from -1 to 1 along azimuth and range of the image.

    Computed from Earth-fixed coordinates, so that the antimeridian and the poles are no exceptions.
    """

    origin: Float64
    axes: Float64

    @classmethod
    def from_points(cls, points: GeolocationGrid) -> LocalFrame:
        """Least-squares frame in which the tie points fill a square."""
        if not (np.ptp(points.line) > 0 and np.ptp(points.pixel) > 0):
            raise _no_area()
        positions = _earth_fixed(points.longitude, points.latitude)
        origin = positions.mean(axis=0)
        # The tangent plane is spanned by the two principal components of the points.
        plane = np.linalg.svd(positions - origin, full_matrices=False)[2][:2]
        design = np.column_stack([(positions - origin) @ plane.T, np.ones(len(positions))])
        target = np.stack([_to_square(points.line), _to_square(points.pixel)], axis=1)
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        axes = plane.T @ solution[:2]
        if np.linalg.matrix_rank(solution[:2]) < 2:
            raise _no_area()
        # The constant moves the origin within the plane.
        moved = origin - plane.T @ np.linalg.solve(solution[:2].T, solution[2])
        return cls(moved, axes)

    def project(self, longitude: Float64, latitude: Float64) -> tuple[Float64, Float64]:
        """Coordinates along azimuth and range."""
        u, v = ((_earth_fixed(longitude, latitude) - self.origin) @ self.axes).T
        return u.reshape(np.shape(longitude)), v.reshape(np.shape(longitude))


@dataclass(frozen=True)
class Polynomial:
    """A polynomial of two variables whose total degree is at most `degree`."""

    degree: int
    coefficients: Float64

    @classmethod
    def fit(cls, u: Float64, v: Float64, values: Float64, degree: int) -> Polynomial:
        """Least-squares fit; of lower degree if there are few values."""
        while degree > 1 and SPARE_POINTS * (degree + 1) * (degree + 2) / 2 > len(values):
            degree -= 1
        solution = np.linalg.lstsq(_terms(u, v, degree), values, rcond=None)[0]
        return cls(degree, np.asarray(solution, dtype=np.float64))

    def evaluate(self, u: Float64, v: Float64) -> Float64:
        """Values of the polynomial."""
        values = _terms(u.ravel(), v.ravel(), self.degree) @ self.coefficients
        return np.asarray(values.reshape(u.shape))


class TimeOfLine:
    """Azimuth time of a line, by a linear fit."""

    def __init__(self, points: GeolocationGrid) -> None:
        self.epoch = points.time[0]
        self._slope, self._start = np.polyfit(points.line, seconds(points.time, self.epoch), 1)

    def evaluate(self, line: Float64) -> Float64:
        """Seconds since the epoch."""
        return np.asarray(self._start + self._slope * line)

    def line(self, time_s: Float64) -> Float64:
        """The line of a time in seconds since the epoch."""
        return np.asarray((time_s - self._start) / self._slope)


def slant_range_to_pixel(annotation: Annotation) -> Callable[[Float64, Float64], Float64]:
    """A function from azimuth time, in seconds since the first tie point, and slant range."""
    epoch = annotation.tie_points.time[0]
    table = annotation.ground_range
    times = seconds(table.time, epoch)

    def to_pixel(time_s: Float64, slant_range_m: Float64) -> Float64:
        if len(times) == 1:
            return _ground_range(table, np.zeros(np.shape(time_s), np.intp), slant_range_m) / step
        block, share = _between(time_s, times)
        earlier = _ground_range(table, block, slant_range_m)
        later = _ground_range(table, block + 1, slant_range_m)
        return np.asarray((earlier * (1 - share) + later * share) / step)

    step = annotation.range_spacing_m
    return to_pixel


def seconds(times: Times, epoch: np.datetime64) -> Float64:
    """Seconds since an epoch."""
    return np.asarray((times - epoch) / np.timedelta64(1, "s"), dtype=np.float64)


def _ground_range(table: GroundRange, block: NDArray[np.intp], slant_range_m: Float64) -> Float64:
    """Ground range in metres by the polynomial of each point's block."""
    beyond_start = slant_range_m - table.start_m[block]
    value = np.zeros_like(slant_range_m)
    for coefficients in table.coefficients.T[::-1]:
        value = value * beyond_start + coefficients[block]
    return value


def _between(value: Float64, steps: Float64) -> tuple[NDArray[np.intp], Float64]:
    """Index of the step below a value and the fraction towards the next, clipped to the steps."""
    position = np.interp(value, steps, np.arange(len(steps)))
    index = np.minimum(position.astype(np.intp), len(steps) - 2)
    return index, position - index


def _earth_fixed(longitude: Float64, latitude: Float64) -> Float64:
    """Earth-fixed coordinates of points on the ellipsoid, (n, 3), in metres."""
    flat = np.ravel(longitude), np.ravel(latitude)
    return np.stack(_TO_EARTH_FIXED.transform(*flat, np.zeros(flat[0].size)), axis=1)


def _no_area() -> InputError:
    return InputError(
        "tie points of one line or one point of the ground",
        wanted="tie points all over the image",
        hint="download the product again",
        code=ErrorCode.UNREADABLE,
    )


def _to_square(values: Float64) -> Float64:
    return np.asarray(2 * values / values.max() - 1)


def _terms(u: Float64, v: Float64, degree: int) -> Float64:
    """Design matrix of a polynomial, (n, terms)."""
    return np.stack(monomials(u, v, degree), axis=1)


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
