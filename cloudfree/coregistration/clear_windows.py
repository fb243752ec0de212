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

# A scene is looked at in so many blocks of this size, spread over it; at most four times as many
# are tried to find enough with clear ground.
BLOCK_PX = 512
MAX_BLOCKS = 16
MAX_EXAMINED = 4 * MAX_BLOCKS
MIN_CLEAR = 0.1

# Green, red, near and short-wave infrared: water, soil, leaves and moisture each show in one.
BANDS = ("B03", "B04", "B08", "B11")

# Score from which a pixel counts as cloud, as in the published mask. Leaving out shadows as well
# was tried: dark ground that is none goes with them, and more shifts are lost than mended.
CLOUD_SCORE = 0.2


@dataclass(frozen=True)
class Block:
    """A part of a scene, and the features, (2, band, y, x), that both sensors show of it."""

    window: Window
    optical: Float32
    sar: Float32


class Blocks(Protocol):
    """Blocks all over a scene, for as often as they are asked for."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the scene."""
        ...

    def power(self) -> CrossPower:
        """For the features of blocks, nothing added yet."""
        ...

    def __iter__(self) -> Iterator[Block]: ...

    def again(self, window: Window) -> Block:
        """A block that was found before: what it shows takes too much room to be kept."""
        ...


@dataclass(frozen=True)
class ClearWindows:
    """Blocks all over an optical scene with enough clear ground under Sentinel-1.

    Clouds of `mask` take no part; without one a quick look tells the clouds.
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

    def power(self) -> CrossPower:
        """For the features of blocks, nothing added yet."""
        grid = self.optical.grid
        return CrossPower(
            min(BLOCK_PX, grid.height), min(BLOCK_PX, grid.width), len(self.bands), len(SAR_BANDS)
        )

    def __iter__(self) -> Iterator[Block]:
        grid, found = self.optical.grid, 0
        for window in _spread(list(TilePlan(grid.height, grid.width, BLOCK_PX, 0)))[:MAX_EXAMINED]:
            block = self._block(window)
            if block is None:
                continue
            yield block
            found += 1
            if found == MAX_BLOCKS:
                return

    def again(self, window: Window) -> Block:
        """A block that was found before: what it shows takes too much room to be kept."""
        block = self._block(window)
        assert block is not None
        return block

    def _block(self, window: Window) -> Block | None:
        usable = self._usable(window)
        if usable.mean() < MIN_CLEAR:
            return None
        decibels = self.sar.on_grid(self.optical.grid, window)
        if (usable & np.isfinite(decibels).all(axis=0)).mean() < MIN_CLEAR:
            return None
        reflectance = self.optical.reflectance(self.bands, window)
        return Block(window, optical_features(reflectance, usable), sar_features(decibels))

    def _usable(self, window: Window) -> NDArray[np.bool_]:
        if self.mask is None:
            return _clear_by_score(self.optical, window)
        return _clear(self.mask, window)


def _spread(windows: list[Window]) -> list[Window]:
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
    """What the cloud score calls clear; all of it where a band of the score is missing."""
    if not set(SCORE_BANDS) <= set(optical.bands):
        return np.ones((window.height, window.width), dtype=bool)
    bands = [*SCORE_BANDS, *([CIRRUS_BAND] if CIRRUS_BAND in optical.bands else [])]
    planes = dict(zip(bands, optical.reflectance(bands, window), strict=True))
    # NaN, where there is no data, is not below the bound.
    return np.asarray(cloud_score(planes) < CLOUD_SCORE, dtype=np.bool_)
