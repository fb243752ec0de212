"""Which parts of a scene show clear ground to both sensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.score import CIRRUS_BAND, SCORE_BANDS, cloud_score
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import MaskClass, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.features import optical_features, sar_features
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

# At most so many clear windows of this size, spread over a scene, are compared; at most four times
# as many windows are examined to find them.
CLEAR_WINDOW_PX = 512
MAX_CLEAR_WINDOWS = 16
MAX_EXAMINED = 4 * MAX_CLEAR_WINDOWS
MIN_CLEAR = 0.1

# Green, red, near and short-wave infrared: water, soil, leaves and moisture each show in one.
BANDS = ("B03", "B04", "B08", "B11")

# Score from which a pixel counts as cloud, as in the published mask. Leaving out shadows as well
# was tried: dark ground that is none goes with them, and more shifts are lost than mended.
CLOUD_SCORE = 0.2


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
    """Clear windows all over an optical scene with enough clear ground under Sentinel-1.

    Clouds of `mask` are left out; without one the cloud score does.
    """

    sar: SarSource
    optical: OpticalScene
    mask: MaskFile | None

    @property
    def bands(self) -> tuple[str, ...]:
        """The optical bands that are compared."""
        there = tuple(band for band in BANDS if band in self.optical.bands)
        return there or tuple(self.optical.bands[: len(BANDS)])

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the scene."""
        return self.optical.grid.height, self.optical.grid.width

    def cross_power(self) -> CrossPower:
        """An empty sum of cross-correlations for the features of these windows."""
        grid = self.optical.grid
        return CrossPower(
            min(CLEAR_WINDOW_PX, grid.height),
            min(CLEAR_WINDOW_PX, grid.width),
            len(self.bands),
            len(SAR_BANDS),
        )

    def __iter__(self) -> Iterator[ClearWindow]:
        grid, found = self.optical.grid, 0
        for window in _low_discrepancy_order(
            list(TilePlan(grid.height, grid.width, CLEAR_WINDOW_PX, 0))
        )[:MAX_EXAMINED]:
            clear_window = self._clear_window(window)
            if clear_window is None:
                continue
            yield clear_window
            found += 1
            if found == MAX_CLEAR_WINDOWS:
                return

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

    def _usable(self, window: Window) -> NDArray[np.bool_]:
        if self.mask is None:
            return _clear_by_score(self.optical, window)
        return _clear(self.mask, window)


def _low_discrepancy_order(windows: list[Window]) -> list[Window]:
    """The same windows in an order whose every beginning lies all over the scene.

    Multiples of the golden ratio fill the interval evenly whenever one stops.
    """
    turn = (5**0.5 - 1) / 2
    ranks = sorted(range(len(windows)), key=lambda index: (index * turn) % 1.0)
    return [windows[rank] for rank in ranks]


def _clear(mask: MaskFile, window: Window) -> NDArray[np.bool_]:
    classes = mask.classes(window)
    clear: NDArray[np.bool_] = ~is_cloud_or_shadow(classes) & (classes != MaskClass.NODATA)
    return clear


def _clear_by_score(optical: OpticalScene, window: Window) -> NDArray[np.bool_]:
    """Pixels, (y, x), with a low cloud score; all if a band of the score is missing."""
    if not set(SCORE_BANDS) <= set(optical.bands):
        return np.ones((window.height, window.width), dtype=bool)
    bands = [*SCORE_BANDS, *([CIRRUS_BAND] if CIRRUS_BAND in optical.bands else [])]
    planes = dict(zip(bands, optical.reflectance(bands, window), strict=True))
    # NaN, where there is no data, is not below the bound.
    return np.asarray(cloud_score(planes) < CLOUD_SCORE, dtype=np.bool_)
