"""What clouds are filled with, row by row, and the finished rows of the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree.commands.remove.cloudy_scene import MaskedScene, OriginalRows
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import FillClass, Mask
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.inference.compositing import compose
from cloudfree.inference.model import Prediction
from cloudfree.inference.sliding_window import TilePlan


@dataclass(frozen=True)
class Fill:
    """What rows are filled with: reflectance (band, y, x), NaN where nothing is known.

    `deviation` is its standard deviation, None if not requested; `by` the class of `FillClass` of
    each pixel, (y, x), or of all.
    """

    mean: Float32
    deviation: Float32 | None = None
    by: Mask | FillClass = FillClass.FILLED


FilledRows = tuple[Window, Fill, OriginalRows]


class Filling(Protocol):
    """What fills a scene: rows from top to bottom, as wide as it."""

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands that are filled, in the order of the rows."""
        ...

    @property
    def deviation_tags(self) -> Mapping[str, str]:
        """Where the standard deviations are from; complete after the last row."""
        ...

    def rows(self, progress: Progress) -> AbstractContextManager[Iterator[FilledRows]]:
        """What each row is filled with, valid until the next is requested, and its original."""
        ...


@dataclass(frozen=True)
class NetworkFilling:
    """Fills a scene by the predictions of a network, tile by tile."""

    scene: RemovalScene
    plan: TilePlan
    batch_size: int

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands that the network predicts and the scene has."""
        predicted = self.scene.model.card.output_bands
        return tuple(band for band in predicted if band in self.scene.optical.positions)

    @property
    def deviation_tags(self) -> Mapping[str, str]:
        """Source and coverage of the standard deviations, if they are requested."""
        return self.scene.uncertainty.tags if self.scene.uncertainty else {}

    @contextmanager
    def rows(self, progress: Progress) -> Iterator[Iterator[FilledRows]]:
        """Predicted rows with their deviation, if that is requested."""
        with self.scene.predictions(self.plan, self.batch_size, progress) as predicted:
            yield (
                (window, self._fill(prediction), original)
                for window, prediction, original in predicted
            )

    def _fill(self, prediction: Prediction) -> Fill:
        uncertainty = self.scene.uncertainty
        deviation = uncertainty.deviation(prediction) if uncertainty else None
        predicted, bands = self.scene.model.card.output_bands, self.bands
        if bands == predicted:
            return Fill(prediction.mean, deviation)
        places = [predicted.index(band) for band in bands]
        return Fill(prediction.mean[places], None if deviation is None else deviation[places])


@dataclass(frozen=True)
class OutputRows:
    """Finished rows of the output in the file's numbers, (band, y, x), and what filled them.

    `valid`, `to_fill` (valid pixels under the mask) and `filled` are (y, x); `by`, (y, x), is the
    class of `FillClass` of the filled ones. `deviation` is the standard deviation of the filled
    bands, (band, y, x) in reflectance and in the order of the filling, NaN elsewhere; None if not
    requested.
    """

    window: Window
    pixels: NDArray[np.generic]
    valid: NDArray[np.bool_]
    to_fill: NDArray[np.bool_]
    filled: NDArray[np.bool_]
    by: Mask
    deviation: Float32 | None = None

    @property
    def classes(self) -> Mask:
        """The classes of `FillClass`, (y, x)."""
        classes = np.full(self.valid.shape, FillClass.ORIGINAL, dtype=np.uint8)
        classes[self.to_fill] = FillClass.UNFILLED
        classes[self.filled] = self.by[self.filled]
        classes[~self.valid] = FillClass.NODATA
        return classes


def finish(
    scene: MaskedScene, bands: tuple[str, ...], window: Window, fill: Fill, original: OriginalRows
) -> OutputRows:
    """The rows of the output: the original ones, filled in place in these bands."""
    radiometry, opacity = scene.optical.radiometry, original.opacity
    positions = [scene.optical.positions[band] for band in bands]
    valid = radiometry.valid(original.native)
    filled = compose(original.native, fill.mean, opacity, radiometry, positions)
    to_fill = valid & (opacity > 0)
    by = np.broadcast_to(np.asarray(fill.by, dtype=np.uint8), filled.shape)
    deviation = fill.deviation
    if deviation is not None:
        deviation = np.where(filled, deviation, np.float32(np.nan))
    return OutputRows(window, original.native, valid, to_fill, filled, by, deviation)
