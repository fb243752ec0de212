"""Two dates of one optical band, a large real scene, through the machinery for radar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import from_bounds, intersection
from scipy.ndimage import map_coordinates
from scipy.ndimage import shift as move

from cloudfree.core.displacement import Displacement, Shift
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.clear_windows import (
    CLEAR_WINDOW_PX,
    MAX_CLEAR_WINDOWS,
    MIN_CLEAR,
    ClearWindow,
    optical_features,
)
from cloudfree.coregistration.measure import ShiftMeasurement, assess, estimate_displacement
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.inference.sliding_window import TilePlan
from tests.factories.scene_pairs import origin

# Brighter than any ground of this scene in this band: clouds.
CLOUD = 0.2


def two_dates(data: Path) -> tuple[Float32, Float32]:
    """Reflectance, (1, y, x) each, of the ground that both show, laid together by coordinates."""
    folder = data / "large" / "testcase_inter1_S2A_S2A"
    paths = sorted(folder.glob("ref_*.jp2")) + sorted(folder.glob("tgt_*.jp2"))
    with rasterio.open(paths[0]) as one, rasterio.open(paths[1]) as other:
        whole = rasterio.windows.Window(0, 0, one.width, one.height)
        common = intersection(whole, from_bounds(*other.bounds, transform=one.transform))
        bounds = rasterio.windows.bounds(common, one.transform)
        there = from_bounds(*bounds, transform=other.transform)
        numbers = [
            dataset.read(1, window=window.round_offsets().round_lengths())
            for dataset, window in ((one, common), (other, there))
        ]
    images = [np.where(number == 0, np.nan, number / 10_000)[None] for number in numbers]
    return images[0].astype(np.float32), images[1].astype(np.float32)


def displaced_date(image: Float32, by: Shift) -> Float32:
    """The second date moved, its gaps with it."""
    gap = ~np.isfinite(image[0])
    moved = move(np.where(gap, 0.1, image[0]), (by.row, by.col), order=3, cval=0.1)
    gap = move(gap.astype(np.float32), (by.row, by.col), order=1, cval=1.0) > 0
    return np.where(gap, np.nan, moved)[None].astype(np.float32)


def turned_date(image: Float32, by: Displacement) -> Float32:
    """The second date displaced by more than a shift."""
    rows, cols = np.mgrid[: image.shape[1], : image.shape[2]].astype(float)
    at = origin(by, rows, cols)
    return map_coordinates(image[0], at, order=1, cval=np.nan)[None].astype(np.float32)


@dataclass(frozen=True)
class TwoDates:
    """Blocks of two images, (1, y, x) each, where neither shows clouds."""

    one: Float32
    other: Float32

    @property
    def size(self) -> tuple[int, int]:
        return self.one.shape[1], self.one.shape[2]

    def cross_power(self) -> CrossPower:
        return CrossPower(CLEAR_WINDOW_PX, CLEAR_WINDOW_PX, 1, 1)

    def __iter__(self) -> Iterator[ClearWindow]:
        plan = TilePlan(*self.size, CLEAR_WINDOW_PX, 0)
        windows = [window for window in plan if self._clear(window).all(axis=0).mean() > MIN_CLEAR]
        yield from map(self.reread, windows[:: max(len(windows) // MAX_CLEAR_WINDOWS, 1)])

    def reread(self, window: Window) -> ClearWindow:
        images = (image[:, *window.slices] for image in (self.one, self.other))
        features = map(optical_features, images, self._clear(window))
        return ClearWindow(window, *features)

    def _clear(self, window: Window) -> np.ndarray:
        images = np.stack([image[0, *window.slices] for image in (self.one, self.other)])
        return np.nan_to_num(images, nan=1.0) < CLOUD


def aligned(one: Float32, other: Float32, max_shift: float = 8.0) -> ShiftMeasurement:
    """How far the second date lies from the first."""
    return assess(*estimate_displacement(TwoDates(one, other)), max_shift, 1.0)
