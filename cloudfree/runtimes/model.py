"""A model: a card and something that runs its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cloudfree.core.model_card import ModelCard
from cloudfree.core.units import Float32


class Runtime(Protocol):
    """What executes a network: scaled batches in, scaled batch out."""

    @property
    def description(self) -> str:
        """Device and precision, for the log and the tags."""
        ...

    @property
    def batch(self) -> int:
        """How many tiles at once suit the device."""
        ...

    def run(self, optical: Float32, sar: Float32) -> Float32:
        """Predict (n, band, y, x) from optical (n, band, y, x) and SAR (n, 2, y, x)."""
        ...


@dataclass(frozen=True)
class TileInputs:
    """What a network sees of one tile: reflectance and dB, (band, y, x), NaN for nodata."""

    optical: Float32
    sar: Float32


@dataclass(frozen=True)
class Model:
    """A network with its weights and the card that says how to feed it."""

    card: ModelCard
    runtime: Runtime

    def predict(self, tiles: Sequence[TileInputs]) -> list[Float32]:
        """Predicted reflectance, (band, y, x), of tiles of one size.

        Missing pixels are filled with the tile's median of their band, sizes are padded by
        reflection to the card's multiple, and both scalings are those of the card. Where there is
        no SAR nothing is known of the ground: the prediction is NaN there.
        """
        height, width = tiles[0].optical.shape[-2:]
        optical = self._batch([tile.optical for tile in tiles])
        sar = self._batch([tile.sar for tile in tiles])
        scaled = self.runtime.run(
            self.card.optical_scaling.forward(optical), self.card.sar_scaling.forward(sar)
        )
        predictions = list(self.card.optical_scaling.inverse(scaled)[..., :height, :width])
        for prediction, tile in zip(predictions, tiles, strict=True):
            prediction[:, np.isnan(tile.sar).any(axis=0)] = np.nan
        return predictions

    def _batch(self, arrays: Sequence[Float32]) -> Float32:
        batch = np.stack([fill_missing(array) for array in arrays])
        missing = [-length % self.card.multiple for length in batch.shape[-2:]]
        # `symmetric` repeats the border pixel and so works for a single row as well.
        return np.pad(batch, [(0, 0), (0, 0), *((0, more) for more in missing)], mode="symmetric")


def fill_missing(bands: Float32) -> Float32:
    """The array, (band, y, x), with NaN replaced by the median of its band, 0 where all is NaN."""
    missing = np.isnan(bands)
    if not missing.any():
        return bands
    filled = bands.copy()
    for band, holes in zip(filled, missing, strict=True):
        band[holes] = 0.0 if holes.all() else np.median(band[~holes])
    return filled
