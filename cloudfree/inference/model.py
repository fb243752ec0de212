"""A model: a card and something that runs its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.model_card import ModelCard

Arrays = Mapping[str, Float32]

# What `Runtime.batch` counts are tiles of this side. Those that keep a GPU busy are 2**19 pixels:
# with four times as many GLF-CR took as long for a tile, and a full scene half as much memory again
# (tests/bench/NOTES.md).
TILE_PX = 256
GPU_BATCH = 8

# The name under which networks return the variance of their image.
VARIANCE = "variance"

# How far below the dilated edge of a cloud the shadow input of a network extends.
SHADOW_REACH_PX = 5


class Runtime(Protocol):
    """What executes a network: scaled batches in, scaled batches out, by name."""

    @property
    def description(self) -> str:
        """Device and precision, for the log and the tags."""
        ...

    @property
    def batch(self) -> int:
        """How many tiles of `TILE_PX` at once suit the device; 1 where one of any size does."""
        ...

    def parallel_batches(self) -> AbstractContextManager[int]:
        """Make ready for as many batches at once, each on a thread of its own, as suit the device.

        Their number holds while the block lasts.
        """
        ...

    def run(self, inputs: Arrays) -> Arrays:
        """Predict "image" (n, band, y, x), and what else the network returns.

        `inputs` are scaled batches: "optical" (n, band, y, x), "sar" (n, 2, y, x) and "shadow"
        (n, 1, y, x), as far as the card lists them.
        """
        ...


@dataclass(frozen=True)
class TileInputs:
    """What a network sees of one tile: reflectance and dB, (band, y, x), NaN for nodata.

    `sar` is None where the network does not use it; `shadow`, (y, x), is where shadows of clouds
    are known to lie, None where nobody knows of any.
    """

    optical: Float32
    sar: Float32 | None = None
    shadow: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Model:
    """A network with its weights and the card that says how to feed it."""

    card: ModelCard
    runtime: Runtime

    def batch(self, side: int) -> int:
        """How many tiles of that side, in pixels, at once suit the device: as many pixels as of
        those that the runtime counts.
        """
        usual = self.runtime.batch
        return usual if usual == 1 else max(usual * TILE_PX**2 // side**2, 1)

    def predict(self, tiles: Sequence[TileInputs]) -> list[Float32]:
        """Predicted reflectance, (band, y, x), of tiles of one size.

        Missing pixels are filled with the tile's median of their band, sizes are padded by
        reflection to the card's multiple, and both scalings are those of the card. Where a network
        that needs SAR has none nothing is known of the ground: the prediction is NaN there.

        Raises
        ------
        ModelError
            The network predicts what is no number.
        """
        return self.predict_with_variance(tiles)[0]

    def predict_with_variance(
        self, tiles: Sequence[TileInputs]
    ) -> tuple[list[Float32], list[Float32] | None]:
        """Predicted reflectance, as `predict` has it, and the variance that the network tells.

        Raises
        ------
        ModelError
            The network predicts what is no number.
        """
        height, width = tiles[0].optical.shape[-2:]
        bands = len(self.card.output_bands)
        told = {
            name: array[:, :bands, :height, :width]
            for name, array in self.runtime.run(self.scaled(tiles)).items()
            if name in ("image", VARIANCE)
        }
        for name, array in told.items():
            self._require_finite(name, array)
        scaling = self.card.output_scaling
        images = _where_seen(scaling.inverse(told["image"]), tiles)
        if VARIANCE not in told:
            return images, None
        return images, _where_seen(scaling.inverse_variance(told[VARIANCE]), tiles)

    def scaled(self, tiles: Sequence[TileInputs]) -> Arrays:
        """What the network sees of tiles of one size: scaled batches of what the card lists.

        Missing pixels are filled and sizes padded, as `predict` has it.
        """
        inputs = {}
        if "optical" in self.card.inputs:
            optical = self._batch([tile.optical for tile in tiles])
            inputs["optical"] = self.card.optical_scaling.forward(optical)
        if self.card.uses_sar:
            sar = self._batch([tile.sar for tile in tiles if tile.sar is not None])
            inputs["sar"] = self.card.sar_scaling.forward(sar)
        if self.card.uses_shadow:
            inputs["shadow"] = self._batch([shadow_input(tile) for tile in tiles])
        return inputs

    def _require_finite(self, name: str, array: Float32) -> None:
        """All that the network sees are numbers: what is none was made by its own arithmetic."""
        if np.isfinite([array.min(), array.max()]).all():  # a tenth of the time of counting
            return
        broken = int((~np.isfinite(array)).any(axis=1).sum())
        if broken:
            raise ModelError(
                f"{name} of model {self.card.name} is no number on {broken} pixels of a tile",
                wanted="numbers, which its inputs are",
                hint="compute with --precision fp32; if that is how it was, the weights are broken",
            )

    def _batch(self, arrays: Sequence[Float32]) -> Float32:
        batch = np.stack([fill_missing(array) for array in arrays])
        missing = [-length % self.card.multiple for length in batch.shape[-2:]]
        if not any(missing):
            return batch
        # `symmetric` repeats the border pixel and so works for a single row as well.
        return np.pad(batch, [(0, 0), (0, 0), *((0, more) for more in missing)], mode="symmetric")


def shadow_input(tile: TileInputs) -> Float32:
    """Shadows of a tile as a network is told of them, (1, y, x): 1 where they lie, else 0."""
    if tile.shadow is None:
        return np.zeros((1, *tile.optical.shape[-2:]), dtype=np.float32)
    return tile.shadow[None].astype(np.float32)


def fill_missing(bands: Float32) -> Float32:
    """The array, (band, y, x), with NaN replaced by the median of its band, 0 where all is NaN."""
    missing = np.isnan(bands)
    if not missing.any():
        return bands
    filled = bands.copy()
    for band, holes in zip(filled, missing, strict=True):
        band[holes] = 0.0 if holes.all() else np.median(band[~holes])
    return filled


def _where_seen(restored: Float32, tiles: Sequence[TileInputs]) -> list[Float32]:
    """The pixels of each tile, NaN where SAR was wanted and missing."""
    for pixels, tile in zip(restored, tiles, strict=True):
        if tile.sar is not None:
            pixels[:, np.isnan(tile.sar).any(axis=0)] = np.nan
    return list(restored)
