"""Cloud shadows: dark enough, where clouds can cast them, and how well dark ground follows clouds.

Source: cloud shadow index of Zhai et al., "Cloud/shadow detection based on spectral indices for
multi/hyperspectral optical remote sensing imagery" (ISPRS J. 144, 2018), as the detector of
DSen2-CR (Meraner et al. 2020) applies it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.morphology import median_of
from cloudfree.cloudmask.score import Planes
from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import Float32, Float64
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.warp import displacement_px

# Shadows are looked for over kilometres, in steps of pixels.
MAX_PX_PER_M = 10.0


@dataclass(frozen=True)
class PixelAxes:
    """Rows and columns that one moves by going one metre north, and one metre east.

    A scene is small enough for one pair of axes: over its 110 km the direction of north turns by
    less than 2 degrees away from the poles.
    """

    north: tuple[float, float]
    east: tuple[float, float]

    @classmethod
    def of_grid(cls, grid: Grid) -> Self:
        """The axes at the middle of a grid.

        Raises
        ------
        InputError
            Pixels are so small that the shadows in them would be endless.
        """
        length_m = 1000.0
        north, east = (displacement_px(grid, azimuth, length_m) for azimuth in (0.0, 90.0))
        axes = cls(
            (north[0] / length_m, north[1] / length_m), (east[0] / length_m, east[1] / length_m)
        )
        if not max(axes.px_per_m) <= MAX_PX_PER_M:
            raise InputError(
                f"pixels of {1 / max(axes.px_per_m):.2g} m in the middle of the scene",
                wanted="those of Sentinel-2, 10 to 60 m, or somewhat smaller",
                hint="correct the geotransform, or warp the scene into UTM, as with `rio warp`",
                code=ErrorCode.WRONG_GRID,
            )
        return axes

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


SHADOW_BANDS = ("B02", "B08", "B11")

# Where a threshold stands between the minimum and the mean of the scene.
INDEX_POSITION = 3 / 4
BLUE_POSITION = 5 / 6


@dataclass(frozen=True)
class ShadowThresholds:
    """Reflectance below which a pixel is dark: shadow index and blue."""

    index: np.float32
    blue: np.float32

    def dark(self, planes: Planes) -> NDArray[np.bool_]:
        """Where both are dark, (y, x); never where there is no data."""
        return (shadow_index(planes) < self.index) & (planes["B02"] < self.blue)

    def candidates(self, planes: Planes) -> NDArray[np.bool_]:
        """Dark pixels after a 5x5 median, (y, x); what lies outside the array is not dark."""
        return median_of(self.dark(planes))


# What no ground has: atmospheric correction leaves slightly negative numbers, and the brightest
# cloud has 2.8. A pixel beyond is damaged or saturated, and has no say in the thresholds.
DARKEST, BRIGHTEST = np.float32(-0.1), np.float32(3.0)
# So much apart from all others, and at most such a share of a scene and so many, the darkest
# pixels are damaged: the published rule takes the darkest of all.
APART, DAMAGED_SHARE, DAMAGED_PX = 0.05, 1e-3, 255


@dataclass
class Moments:
    """Count, sum and minimum of the valid pixels of one plane."""

    count: int = 0
    total: float = 0.0
    _lowest: Float32 = field(default_factory=lambda: np.empty(0, np.float32))

    def add(self, values: Float32) -> None:
        """Add an array of any shape; NaN and what no ground has are left out."""
        possible = (values >= DARKEST) & (values <= BRIGHTEST)
        valid = values.ravel() if possible.all() else values[possible]
        self.count += valid.size
        self.total += float(valid.sum(dtype=np.float64))
        if len(self._lowest) > DAMAGED_PX:  # sorted, and as many as are needed
            valid = valid[valid < self._lowest[-1]]
        kept = np.concatenate([self._lowest, valid])
        if len(kept) > DAMAGED_PX + 1:
            kept = np.partition(kept, DAMAGED_PX)[: DAMAGED_PX + 1]
        self._lowest = np.sort(kept)

    @property
    def minimum(self) -> float:
        """The lowest number, but for a few far below all others; infinite without any."""
        if not self._lowest.size:
            return float("inf")
        few = min(int(self.count * DAMAGED_SHARE), len(self._lowest) - 1)
        gaps = np.flatnonzero(np.diff(self._lowest[: few + 1]) > APART)
        return float(self._lowest[gaps[-1] + 1 if gaps.size else 0])

    def between(self, position: float) -> np.float32:
        """The value at `position` of the way from the minimum to the mean."""
        mean = self.total / max(self.count, 1)
        return np.float32(self.minimum + position * (mean - self.minimum))


@dataclass
class ShadowStatistics:
    """Minimum and mean over a scene that is seen strip by strip."""

    index: Moments = field(default_factory=Moments)
    blue: Moments = field(default_factory=Moments)

    def add(self, planes: Planes) -> None:
        """Add the pixels of the next strip."""
        self.index.add(shadow_index(planes))
        self.blue.add(planes["B02"])

    def thresholds(self) -> ShadowThresholds:
        """The thresholds of the pixels seen so far."""
        return ShadowThresholds(
            self.index.between(INDEX_POSITION), self.blue.between(BLUE_POSITION)
        )


def shadow_index(planes: Planes) -> Float32:
    """Cloud shadow index, (y, x): mean reflectance of near and short-wave infrared."""
    index: Float32 = (planes["B08"] + planes["B11"]) * np.float32(0.5)
    return index


# The farthest a shadow is looked for: a cloud 2 km high under a sun 45 degrees high.
SHADOW_REACH_M = 2000.0

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class ShadowProjection:
    """A line away from the sun, from the nearest to the farthest shadow of a cloud.

    Clouds are moved by `start` (rows, columns) and then by `shifts`, each of which is laid over
    what the ones before it have reached, so that n pixels of line need about log2(n) of them.
    """

    start: tuple[int, int] = (0, 0)
    shifts: tuple[tuple[int, int], ...] = ()

    @classmethod
    def between(cls, near: tuple[float, float], far: tuple[float, float]) -> Self:
        """The line between the pixels that lie `near` and `far`, (rows, columns), from a cloud."""
        start = (round(near[0]), round(near[1]))
        rows, cols = far[0] - start[0], far[1] - start[1]
        length = math.ceil(max(abs(rows), abs(cols)))
        shifts, reached = [], 0
        while reached < length:
            step = min(reached + 1, length - reached)
            shifts.append((_part(rows, step, length), _part(cols, step, length)))
            reached += step
        return cls(start, tuple(shifts))

    @classmethod
    def away_from_sun(
        cls,
        sun_azimuth_deg: float,
        axes: PixelAxes,
        distance_m: tuple[float, float] = (0.0, SHADOW_REACH_M),
    ) -> Self:
        """The shadows at `distance_m`, from and to, when the sun stands at `sun_azimuth_deg`."""
        near, far = (axes.displacement(sun_azimuth_deg + 180.0, length) for length in distance_m)
        return cls.between(near, far)

    @property
    def halo_px(self) -> int:
        """Rows between a shadow and the farthest cloud that can throw it."""
        return sum(abs(row) for row, _ in (self.start, *self.shifts))

    def project(self, cloud: Bits) -> Bits:
        """Where shadows of `cloud`, (y, x), can be; clouds outside the array throw none."""
        reached = shifted(cloud, *self.start)
        for row, col in self.shifts:
            reached |= shifted(reached, row, col)
        return reached


def _part(length: float, step: int, steps: int) -> int:
    return round(length * step / steps)


def shifted(bits: Bits, row: int, col: int) -> Bits:
    """`bits` moved down by `row` and right by `col`; False comes in from outside."""
    moved = np.zeros_like(bits)
    to_rows, from_rows = _overlap(row, bits.shape[0])
    to_cols, from_cols = _overlap(col, bits.shape[1])
    moved[to_rows, to_cols] = bits[from_rows, from_cols]
    return moved


def _overlap(shift: int, length: int) -> tuple[slice, slice]:
    """Where the pixels of one axis land, and where those that stay inside came from."""
    kept = max(length - abs(shift), 0)
    landing, origin = max(shift, 0), max(-shift, 0)
    return slice(landing, landing + kept), slice(origin, origin + kept)


MIN_DISTANCE_M = 100.0

# Fields, woods and water are darker or brighter than the scene over more than this length; the
# shadow of a cloud is darker than what lies around it.
LANDSCAPE_M = 300.0
# Clouds differ in height, so their shadows agree on a distance only roughly.
BLUR_M = 60.0


@dataclass(frozen=True)
class Correlation:
    """Correlation of displaced clouds with dark ground; no displacement in the middle."""

    plane: Float64
    axes: PixelAxes
    reach_m: float

    @classmethod
    def from_masks(cls, cloud: Bits, dark: Bits, seen: Bits, axes: PixelAxes) -> Self:
        """Of masks, (y, x): `cloud`, what is `seen` of the ground, and what is `dark` of that."""
        reach_m = min(SHADOW_REACH_M, float(np.hypot(*cloud.shape)) * axes.pixel_m)
        rows, cols = (int(np.ceil(reach_m * density)) + 1 for density in axes.px_per_m)
        size = (cloud.shape[0] + rows, cloud.shape[1] + cols)
        contrast = _contrast(dark, seen, axes)
        clouds = np.conj(np.fft.rfft2(cloud, size))
        together = _blurred(_inverse(clouds * np.fft.rfft2(contrast, size), size), BLUR_M, axes)
        covered = _blurred(_inverse(clouds * np.fft.rfft2(seen, size), size), BLUR_M, axes)
        total = float(seen.sum())
        # Variances of a cloud mask with mean covered/total and of the contrast, over seen pixels.
        variance = np.maximum(covered * (1.0 - covered / total), 1.0) * float((contrast**2).sum())
        return cls(together / np.sqrt(np.maximum(variance, 1e-12)), axes, reach_m)

    def away_from_sun(self, azimuth_deg: float) -> tuple[Float64, Float64]:
        """Distances in metres and correlation at each, for the sun at `azimuth_deg`."""
        step_m = self.axes.pixel_m / 2
        distances = np.arange(MIN_DISTANCE_M, max(self.reach_m, MIN_DISTANCE_M) + step_m, step_m)
        row, col = self.axes.displacement(azimuth_deg + 180.0, 1.0)
        middle_row, middle_col = (length // 2 for length in self.plane.shape)
        rows = np.rint(distances * row).astype(int) + middle_row
        cols = np.rint(distances * col).astype(int) + middle_col
        inside = (rows >= 0) & (rows < self.plane.shape[0]) & (cols >= 0)
        inside &= cols < self.plane.shape[1]
        return distances[inside], self.plane[rows[inside], cols[inside]]


def _contrast(dark: Bits, seen: Bits, axes: PixelAxes) -> Float64:
    """How much darker than its seen surroundings each seen pixel is, -1 to 1; 0 where unseen."""
    ground = _blurred(seen.astype(np.float64), LANDSCAPE_M, axes)
    local = _blurred(dark.astype(np.float64), LANDSCAPE_M, axes) / np.maximum(ground, 1e-6)
    return np.asarray((dark - local) * seen, dtype=np.float64)


def _blurred(plane: Float64, length_m: float, axes: PixelAxes) -> Float64:
    rows, cols = (max(length_m * density, 1.0) for density in axes.px_per_m)
    single = plane.astype(np.float32)  # half the time, and digits enough for counts of pixels
    return np.asarray(cv2.GaussianBlur(single, (0, 0), sigmaX=cols, sigmaY=rows), dtype=np.float64)


def _inverse(spectrum: NDArray[np.complex128], size: tuple[int, int]) -> Float64:
    """Back from the spectrum, no displacement in the middle."""
    return np.asarray(np.fft.fftshift(np.fft.irfft2(spectrum, size)), dtype=np.float64)
