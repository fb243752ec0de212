"""Which parts of a scene show clear ground to both sensors, and what both see there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.score import CIRRUS_BAND, SCORE_BANDS, cloud_score
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import shows_ground
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.raster.footprint import Footprint
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

# At most so many clear windows of this size, spread over a scene, are compared; at most four times
# as many windows are examined to find them.
CLEAR_WINDOW_PX = 512
MAX_CLEAR_WINDOWS = 16
MAX_EXAMINED = 4 * MAX_CLEAR_WINDOWS
MIN_CLEAR = 0.1

# Windows over a narrow strip of radar have at least this side: shifts of 32 pixels are looked for
# in four times as many.
MIN_SIDE_PX = 128

# Green, red, near and short-wave infrared: water, soil, leaves and moisture each show in one.
BANDS = ("B03", "B04", "B08", "B11")

# Score from which a pixel counts as cloud, as in the published mask. Leaving out shadows as well
# was tried: dark ground that is none goes with them, and more shifts are lost than mended.
CLOUD_SCORE = 0.2


Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class ClearWindow:
    """A part of a scene, and the features, (2, band, y, x), that both sensors show of it."""

    window: Window
    optical: Float32
    sar: Float32


class ClearWindowSource(Protocol):
    """Clear windows all over a scene, in the same order at every iteration."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the scene."""
        ...

    def cross_power(self) -> CrossPower:
        """An empty sum of cross-correlations for the features of these windows."""
        ...

    def __iter__(self) -> Iterator[ClearWindow]: ...

    def reread(self, window: Window) -> ClearWindow:
        """Read a clear window that was found before; its features are too large to be kept."""
        ...


@dataclass(frozen=True)
class ClearWindows:
    """Clear windows with enough clear ground, all over the part of a scene that Sentinel-1 covers.

    Clouds of `mask` are left out; without one the cloud score does.
    """

    sar: SarSource
    optical: OpticalScene
    mask: MaskFile | None

    @property
    def bands(self) -> tuple[str, ...]:
        """The optical bands that are compared."""
        return compared_bands(self.optical.bands)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the scene."""
        return self.optical.grid.height, self.optical.grid.width

    @cached_property
    def part(self) -> Window:
        """The part of the scene that Sentinel-1 covers; of a narrow strip some pixels more."""
        whole = self.optical.grid.window
        covered = self._footprint.part(whole)
        return whole if covered is None else _widened(covered, whole)

    @cached_property
    def _footprint(self) -> Footprint:
        return self.sar.footprint(self.optical.grid)

    def cross_power(self) -> CrossPower:
        """An empty sum of cross-correlations for the features of these windows."""
        return CrossPower(
            min(CLEAR_WINDOW_PX, self.part.height),
            min(CLEAR_WINDOW_PX, self.part.width),
            len(self.bands),
            len(self.sar.bands),
        )

    def __iter__(self) -> Iterator[ClearWindow]:
        found = 0
        for window in self._examined():
            clear_window = self._clear_window(window)
            if clear_window is None:
                continue
            yield clear_window
            found += 1
            if found == MAX_CLEAR_WINDOWS:
                return

    def _examined(self) -> Iterator[Window]:
        """Windows that Sentinel-1 covers, in the order in which they are searched."""
        ordered = windows_in_order(self.part.height, self.part.width)
        windows = (window.within(self.part) for window in ordered)
        return islice(filter(self._footprint.share, windows), MAX_EXAMINED)

    def reread(self, window: Window) -> ClearWindow:
        """Read a clear window that was found before; its features are too large to be kept."""
        clear_window = self._clear_window(window)
        assert clear_window is not None
        return clear_window

    def _clear_window(self, window: Window) -> ClearWindow | None:
        usable = self._usable(window)
        if usable.mean() < MIN_CLEAR:
            return None
        decibels = self.sar.on_grid(self.optical.grid, window)
        if (usable & np.isfinite(decibels).all(axis=0)).mean() < MIN_CLEAR:
            return None
        reflectance = self.optical.reflectance(self.bands, window)
        return ClearWindow(window, optical_features(reflectance, usable), sar_features(decibels))

    def _usable(self, window: Window) -> Bits:
        if self.mask is None:
            return _clear_by_score(self.optical, window)
        return shows_ground(self.mask.classes(window))


def compared_bands(there: Sequence[str]) -> tuple[str, ...]:
    """The bands of a scene that are compared: those that show most, or else the first ones."""
    return tuple(band for band in BANDS if band in there) or tuple(there[: len(BANDS)])


def examined_windows(height: int, width: int) -> list[Window]:
    """Windows all over a scene, in the order in which they are searched for clear ground."""
    return windows_in_order(height, width)[:MAX_EXAMINED]


def windows_in_order(height: int, width: int) -> list[Window]:
    """All windows of a scene; those of any beginning of the list lie all over it."""
    return _low_discrepancy_order(list(TilePlan(height, width, CLEAR_WINDOW_PX, 0)))


def _widened(part: Window, whole: Window) -> Window:
    """A part of at least `MIN_SIDE_PX` in each direction, as far as the whole has room."""
    row, height = _widened_side(part.row, part.height, whole.height)
    col, width = _widened_side(part.col, part.width, whole.width)
    return Window(row, col, height, width)


def _widened_side(start: int, length: int, room: int) -> tuple[int, int]:
    """Start and length of one side."""
    widened = min(max(length, MIN_SIDE_PX), room)
    return min(max(start - (widened - length) // 2, 0), room - widened), widened


def _low_discrepancy_order(windows: list[Window]) -> list[Window]:
    """The same windows in an order whose every beginning lies all over the scene.

    Multiples of the golden ratio fill the interval evenly whenever one stops.
    """
    turn = (5**0.5 - 1) / 2
    ranks = sorted(range(len(windows)), key=lambda index: (index * turn) % 1.0)
    return [windows[rank] for rank in ranks]


def _clear_by_score(optical: OpticalScene, window: Window) -> Bits:
    """Pixels, (y, x), with a low cloud score; all if a band of the score is missing."""
    if not set(SCORE_BANDS) <= set(optical.bands):
        return np.ones((window.height, window.width), dtype=bool)
    bands = [*SCORE_BANDS, *([CIRRUS_BAND] if CIRRUS_BAND in optical.bands else [])]
    planes = dict(zip(bands, optical.reflectance(bands, window), strict=True))
    # NaN, where there is no data, is not below the bound.
    return np.asarray(cloud_score(planes) < CLOUD_SCORE, dtype=np.bool_)


# What an optical and a radar image share is where the ground changes. Gradients are taken after
# smoothing, of logarithms (so that speckle and illumination, which multiply, count alike
# everywhere), and scaled by their local strength, so that a town or a coast does not outshout
# fields.

# Standard deviation of the smoothing in pixels: little, as sharp edges locate best and speckle
# averages out over the ground that is compared.
SMOOTHING_PX = 0.7

# Standard deviation of the neighbourhood in which gradients are scaled to equal strength.
NEIGHBOURHOOD_PX = 8.0
# These change over many pixels: in steps of so many they are made 20 times as fast.
COARSE_PX = 4
# A mean over a smaller share of valid pixels than this is not used.
MIN_SHARE = 1e-3
# Added to the strength of a neighbourhood as a share of the usual one, so that flat ones stay flat.
FLAT = 1.0
# A single edge counts at most this many times the strength around it.
MAX_STRENGTH = 3.0
# Next to missing pixels and borders nothing counts, then everything more and more.
BORDER_PX = 3.0
TAPER_PX = 8.0

# Darkest reflectance whose logarithm is taken: below it there is noise.
MIN_REFLECTANCE = 0.005


def optical_features(reflectance: Float32, usable: Bits) -> Float32:
    """Gradients along rows and columns, (2, band, y, x), of reflectance, (band, y, x).

    Zero where pixels are missing or not `usable` (y, x), as under clouds.
    """
    logarithm = np.log(np.maximum(reflectance, MIN_REFLECTANCE))
    return _gradients(logarithm, _complete(reflectance) & usable)


def sar_features(decibels: Float32) -> Float32:
    """Gradients along rows and columns, (2, band, y, x), of dB, (band, y, x); 0 where missing."""
    return _gradients(decibels, _complete(decibels))


def _complete(image: Float32) -> Bits:
    return np.asarray(np.isfinite(image).all(axis=0), dtype=np.bool_)


def _gradients(image: Float32, valid: Bits) -> Float32:
    weight = valid.astype(np.float32)
    near, around = (np.maximum(mean(weight), MIN_SHARE) for mean in (_smooth, _neighbourhood))
    bands = [
        _band_gradients(np.where(valid, band, np.float32(0)), weight, near, around)
        for band in image
    ]
    return np.stack(bands, axis=1) * _taper(valid)


def _band_gradients(band: Float32, weight: Float32, near: Float32, around: Float32) -> Float32:
    """Gradients along rows and columns, (2, y, x), of about unit strength.

    `near` and `around` are the means of the weight that belong to those of the band.
    """
    smooth = _smooth(band) / near * weight
    gradients = np.stack([_difference(smooth, *axis) for axis in ((0, 1), (1, 0))])
    squares = _neighbourhood((gradients**2).sum(axis=0) * weight)
    strength = cv2.sqrt(squares / around)
    there = strength[around > MIN_SHARE]
    floor = FLAT * float(np.median(there)) if there.size else 0.0
    # The least positive number: a plain without any change divides 0 by it.
    gradients /= _enlarged(strength + np.float32(floor + 1e-12), band.shape)
    return np.asarray(np.clip(gradients, -MAX_STRENGTH, MAX_STRENGTH, out=gradients))


def _difference(band: Float32, along_cols: int, along_rows: int) -> Float32:
    """Half the difference of the neighbours along one axis."""
    return np.asarray(cv2.Sobel(band, -1, along_cols, along_rows, ksize=1, scale=0.5))


def _smooth(band: Float32) -> Float32:
    return _gaussian(band, SMOOTHING_PX)


def _neighbourhood(band: Float32) -> Float32:
    """Means over neighbourhoods, (y, x) in steps of `COARSE_PX`."""
    size = tuple(-(-side // COARSE_PX) for side in band.shape[::-1])
    coarse = np.asarray(cv2.resize(band, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    return _gaussian(coarse, NEIGHBOURHOOD_PX / COARSE_PX)


def _enlarged(coarse: Float32, shape: tuple[int, ...]) -> Float32:
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR))


def _gaussian(band: Float32, sigma: float) -> Float32:
    return np.asarray(
        cv2.GaussianBlur(band, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def _taper(valid: Bits) -> Float32:
    """1 well inside valid ground, falling to 0 at its edge and at the border of the image."""
    framed = np.pad(valid, 1).astype(np.uint8)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    ramp = np.clip((distance - BORDER_PX) / TAPER_PX, 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * ramp), dtype=np.float32)
