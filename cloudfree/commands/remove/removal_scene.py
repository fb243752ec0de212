"""What the sliding window needs of a scene: which tiles, what they hold, which opacity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.morphology import shadow_under_dilation
from cloudfree.core.displacement import Displacement, reach_px
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.inference.compositing import FEATHER_PX, compose, feather
from cloudfree.inference.model import SHADOW_REACH_PX, Model, TileInputs
from cloudfree.inference.sliding_window import TilePlan, predict_rows
from cloudfree.inference.uncertainty import Uncertainty
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

RasterArray = NDArray[np.generic]


class RollingRows:
    """Serves windows of a raster whose rows come from top to bottom, each of them read once.

    `read` writes the pixels of a window into an array, (band, y, x). `held`, of that shape, has
    room for the rows that are kept, beginning with the first that was last asked for above or below
    those in memory: always the same, for new memory of that size takes longer than what is read
    into it (tests/bench/NOTES.md).
    """

    def __init__(
        self, read: Callable[[Window, RasterArray], object], height: int, held: RasterArray
    ) -> None:
        self._read, self._height, self._pixels = read, height, held
        self._held = Window(0, 0, 0, held.shape[2])

    def read(self, window: Window) -> RasterArray:
        """Pixels of a window, (band, y, x), which hold until the next is asked for.

        They are not to be written to, and the window is at most as high as what is held.
        """
        if window.row < self._held.row or window.row_stop > self._held.row_stop:
            self._move_to(window.row)
        pixels = self._pixels[:, *window.relative_to(self._held)]
        pixels.setflags(write=False)
        return pixels

    def _move_to(self, row: int) -> None:
        """Hold the rows from `row` on; what is there already is kept."""
        rows = min(self._pixels.shape[1], self._height - row)
        rows_wanted = Window(row, 0, rows, self._held.width)
        kept = max(self._held.row_stop - row, 0) if row >= self._held.row else 0
        first = row - self._held.row
        for band in self._pixels:  # band by band: numpy would copy what may overlap
            band[:kept] = band[first : first + kept]
        self._read(
            Window(row + kept, 0, rows - kept, rows_wanted.width), self._pixels[:, kept:rows]
        )
        self._held = rows_wanted


def fill_edge(bands: Float32, width_px: int) -> Float32:
    """The bands, (band, y, x), with missing pixels up to `width_px` from data taken from there.

    Each takes the mean of its four neighbours that have data, step by step from the edge outwards;
    a pixel is missing where any band is NaN. What lies farther out stays missing. A window needs a
    halo of `width_px` pixels to equal the whole.
    """
    missing = np.isnan(bands).any(axis=0)
    if not missing.any() or missing.all():
        return bands
    filled = np.where(missing, np.nan, bands)
    for _ in range(width_px):
        step = _mean_of_neighbours(filled)
        filled = np.where(np.isnan(filled), step, filled)
    return np.asarray(filled, dtype=np.float32)


def _mean_of_neighbours(bands: Float32) -> Float32:
    """Mean of the neighbours above, below, left and right; NaN where none has data."""
    padded = np.pad(bands, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    sides = (padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:])
    count = np.sum([np.isfinite(side) for side in sides], axis=0)
    total = np.sum([np.nan_to_num(side) for side in sides], axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


@dataclass(frozen=True)
class OriginalRows:
    """Rows of the scene in the file's numbers, (band, y, x), and their opacity, (y, x), 0 to 1.

    The numbers are nobody else's: the restored ones are laid over them.
    """

    native: NDArray[np.generic]
    opacity: Float32


@dataclass(frozen=True)
class OutputRows:
    """Finished rows of the output in the file's numbers, and the pixels that were restored.

    `deviation` is the standard deviation of the restored bands, (band, y, x) in reflectance and in
    the order of the model, NaN elsewhere; None where it was not asked for.
    """

    window: Window
    pixels: NDArray[np.generic]
    valid: NDArray[np.bool_]
    filled: NDArray[np.bool_]
    to_fill: int
    deviation: Float32 | None = None


@dataclass(frozen=True)
class RemovalScene:
    """A scene, its radar, its mask and a model, joined window by window.

    `sar` is None for a network that does not use it; without a mask every pixel is restored.
    With `uncertainty` the predictions carry their variance behind them.
    """

    optical: OpticalScene
    sar: SarSource | None
    mask: MaskFile | None
    model: Model
    shift: Displacement
    uncertainty: Uncertainty | None = None

    @contextmanager
    def predictions(
        self, plan: TilePlan, batch: int, progress: Progress
    ) -> Iterator[Iterator[tuple[Window, Float32, OriginalRows]]]:
        """Predicted rows of the whole scene from top to bottom, with the original ones."""
        bands, predict = len(self.model.card.output_bands), self.model.predict
        if self.uncertainty:
            bands, predict = 2 * bands, self.uncertainty.predict
        rows = RollingRows(self.optical.native, plan.height, self._room(plan))

        def load(tile: Window) -> TileInputs:
            return self._inputs(tile, rows.read(tile))

        def original(window: Window) -> OriginalRows:
            return OriginalRows(rows.read(window).copy(), self.opacity(window))

        with (
            self.model.runtime.parallel_batches() as batches,
            predict_rows(
                plan, bands, self.needed, load, predict, original, batch, progress, batches
            ) as predicted,
        ):
            yield predicted

    def _room(self, plan: TilePlan) -> NDArray[np.generic]:
        """Memory for the rows of a row of tiles in the file's numbers, (band, y, x)."""
        shape = (len(self.optical.descriptions), min(plan.tile, plan.height), plan.width)
        return np.empty(shape, self.optical.radiometry.dtype)

    def finished(self, window: Window, prediction: Float32, original: OriginalRows) -> OutputRows:
        """The rows of the output."""
        radiometry, opacity = self.optical.radiometry, original.opacity
        positions = [self.optical.positions[band] for band in self.model.card.output_bands]
        image = prediction[: len(positions)]
        valid = radiometry.valid(original.native)
        filled = compose(original.native, image, opacity, radiometry, positions)
        to_fill = int((valid & (opacity > 0)).sum())
        deviation = self.uncertainty.deviation(prediction, filled) if self.uncertainty else None
        return OutputRows(window, original.native, valid, filled, to_fill, deviation)

    def needed(self, tile: Window) -> bool:
        """Whether the network has something to restore in a tile."""
        return bool(self._replaced(tile).any())

    def load(self, tile: Window) -> TileInputs:
        """What the network sees of a tile."""
        return self._inputs(tile, self.optical.native(tile))

    def _inputs(self, tile: Window, native: NDArray[np.generic]) -> TileInputs:
        positions = [self.optical.positions[band] for band in self.model.card.optical_bands]
        optical = self.optical.radiometry.decode(native[positions])
        radar = self._radar(self.sar, tile) if self.sar else None
        return TileInputs(optical, radar, self._shadow(tile))

    def _shadow(self, tile: Window) -> NDArray[np.bool_] | None:
        """Where the mask knows of shadow, for a network that wants to be told."""
        if self.mask is None or not self.model.card.uses_shadow:
            return None
        grid = self.optical.grid
        outer = tile.buffered(SHADOW_REACH_PX, grid.height, grid.width)
        return shadow_under_dilation(self.mask.classes(outer), SHADOW_REACH_PX)[
            tile.relative_to(outer)
        ]

    def _radar(self, sar: SarSource, tile: Window) -> Float32:
        """Radar of a tile; a rim left by the shift is filled from beside it."""
        grid = self.optical.grid
        outer = tile.buffered(self.edge_px, grid.height, grid.width)
        filled = fill_edge(sar.on_grid(grid, outer, self.shift), self.edge_px)
        return filled[:, *tile.relative_to(outer)]

    @property
    def edge_px(self) -> int:
        """How far the corrected shift can have moved the end of the radar into the scene.

        Without this rim a line of cloud would stay where both scenes end together.
        """
        return reach_px(self.shift)

    def opacity(self, window: Window) -> Float32:
        """How much of the restoration each pixel takes, 0 to 1, (y, x)."""
        outer = window.buffered(FEATHER_PX + 1, self.optical.grid.height, self.optical.grid.width)
        return feather(self._replaced(outer), FEATHER_PX)[window.relative_to(outer)]

    def _replaced(self, window: Window) -> NDArray[np.bool_]:
        if self.mask is None:
            return np.ones((window.height, window.width), dtype=np.bool_)
        return is_cloud_or_shadow(self.mask.classes(window))
