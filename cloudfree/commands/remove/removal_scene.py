"""A scene for the sliding window: its tiles, their inputs, and the filled rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.morphology import shadow_under_dilation
from cloudfree.commands.remove.cloudy_scene import MaskedScene, OriginalRows
from cloudfree.commands.remove.references.shown_dates import ShownDates
from cloudfree.commands.remove.shifted_radar import shifted_radar
from cloudfree.core.displacement import Displacement
from cloudfree.core.grid import Window
from cloudfree.core.terminal import Progress
from cloudfree.inference.model import SHADOW_REACH_PX, Model, Prediction, TileInputs
from cloudfree.inference.sliding_window import (
    BatchPredictor,
    StripAccumulator,
    TilePlan,
    predict_rows,
)
from cloudfree.inference.uncertainty import Uncertainty
from cloudfree.sentinel1.sar_source import SarOnGrid
from cloudfree.sentinel2.stand_in_bands import with_stand_ins

RasterArray = NDArray[np.generic]


class RollingRows:
    """Windows of a raster from top to bottom, each of whose rows is read once.

    `read` writes the pixels of a window into an array, (band, y, x). `held`, of that shape, is the
    buffer of rows in memory; it begins with the first row of the last window outside the buffer. It
    is reused, as allocating that much memory takes longer than reading into it
    (docs/experiments.md).
    """

    def __init__(
        self, read: Callable[[Window, RasterArray], object], height: int, held: RasterArray
    ) -> None:
        self._read, self._height, self._pixels = read, height, held
        self._held = Window(0, 0, 0, held.shape[2])

    def read(self, window: Window) -> RasterArray:
        """Pixels of a window, (band, y, x), read-only and valid until the next is requested.

        The window is at most as high as the buffer.
        """
        if window.row < self._held.row or window.row_stop > self._held.row_stop:
            self._move_to(window.row)
        pixels = self._pixels[:, *window.relative_to(self._held)]
        pixels.setflags(write=False)
        return pixels

    def _move_to(self, row: int) -> None:
        """Hold the rows from `row` on; rows in memory are moved, not read again."""
        rows = min(self._pixels.shape[1], self._height - row)
        kept = max(self._held.row_stop - row, 0) if row >= self._held.row else 0
        first = row - self._held.row
        for band in self._pixels:  # band by band: numpy copies operands that may overlap
            band[:kept] = band[first : first + kept]
        width = self._held.width
        self._read(Window(row + kept, 0, rows - kept, width), self._pixels[:, kept:rows])
        self._held = Window(row, 0, rows, width)


def _always(_: Window) -> bool:
    return True


@dataclass(frozen=True)
class RemovalScene(MaskedScene):
    """A cloudy scene, its radar and a model, joined window by window.

    `sar` is None for a network that does not use it. `wanted` tells the tiles that are filled if
    they have clouds. With `uncertainty` the predictions have a variance. `shown` are other dates
    for a network that sees several at once.
    """

    sar: SarOnGrid | None
    model: Model
    shift: Displacement
    uncertainty: Uncertainty | None = None
    wanted: Callable[[Window], bool] = _always
    shown: ShownDates | None = None

    @contextmanager
    def predictions(
        self, plan: TilePlan, batch_size: int, progress: Progress
    ) -> Iterator[Iterator[tuple[Window, Prediction, OriginalRows]]]:
        """Predicted rows of the whole scene from top to bottom, with the original ones."""
        merger = StripAccumulator.for_plan(plan, len(self.model.card.output_bands))
        with self.model.runtime.parallel_batches() as parallel_batches:
            predictor = BatchPredictor(self._predict, batch_size, parallel_batches)
            with predict_rows(
                plan, _SceneTiler(self, plan), predictor, merger, progress
            ) as predicted:
                yield predicted

    def _predict(self, tiles: Sequence[TileInputs]) -> list[Prediction]:
        if self.uncertainty:
            return self.uncertainty.predict(tiles)
        return [Prediction(image) for image in self.model.predict(tiles)]

    def needed(self, tile: Window) -> bool:
        """Whether a tile has pixels to fill."""
        return bool(self.to_fill(tile).any()) and self.wanted(tile)

    def load(self, tile: Window) -> TileInputs:
        """Inputs of the network for a tile."""
        return self.inputs(tile, self.optical.native(tile))

    def inputs(self, tile: Window, native: RasterArray) -> TileInputs:
        """Inputs of the network for a tile with these numbers of the file, (band, y, x)."""
        wanted, positions = self.model.card.optical_bands, self.optical.positions
        present = [band for band in positions if band in wanted]
        planes = self.optical.radiometry.decode(native[[positions[band] for band in present]])
        optical = with_stand_ins(dict(zip(present, planes, strict=True)), wanted)
        radar = shifted_radar(self.sar, self.shift, self.optical.grid, tile) if self.sar else None
        inputs = TileInputs(optical, radar, self._shadow(tile))
        return self.shown.beside(inputs, tile) if self.shown else inputs

    @property
    def dates(self) -> int:
        """Dates of a tile, its own among them."""
        return 1 + (len(self.shown.references) if self.shown else 0)

    def _shadow(self, tile: Window) -> NDArray[np.bool_] | None:
        """Cloud shadow of a tile by the mask, (y, x), for a network that uses it."""
        if self.mask is None or not self.model.card.uses_shadow:
            return None
        grid = self.optical.grid
        outer = tile.buffered(SHADOW_REACH_PX, grid.height, grid.width)
        return shadow_under_dilation(self.mask.classes(outer), SHADOW_REACH_PX)[
            tile.relative_to(outer)
        ]


class _SceneTiler:
    """Tiles and rows of a scene, whose file is read once from top to bottom."""

    def __init__(self, scene: RemovalScene, plan: TilePlan) -> None:
        optical = scene.optical
        # One row of tiles in the file's numbers.
        shape = (len(optical.descriptions), min(plan.tile, plan.height), plan.width)
        buffer = np.empty(shape, optical.radiometry.dtype)
        self._scene, self._rows = scene, RollingRows(optical.native, plan.height, buffer)

    def needed(self, tile: Window) -> bool:
        """Whether a tile has pixels to fill."""
        return self._scene.needed(tile)

    def load(self, tile: Window) -> TileInputs:
        """Inputs of the network for a tile."""
        return self._scene.inputs(tile, self._rows.read(tile))

    def load_rows(self, window: Window) -> OriginalRows:
        """A copy of the scene's rows, with their opacity."""
        return OriginalRows(self._rows.read(window).copy(), self._scene.opacity(window))
