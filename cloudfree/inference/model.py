"""A model: a card and a runtime that executes its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.date_series import (
    OtherDate,
    day_number,
    require_same_pixels,
    scaled_dates,
)
from cloudfree.inference.missing_pixels import fill_missing
from cloudfree.inference.model_card import ModelCard

Arrays = Mapping[str, Float32]

# `Runtime.batch` counts tiles of this side. 2**19 pixels keep a GPU busy: with four times as many
# GLF-CR takes as long for a tile, and a full scene half as much memory again
# (docs/experiments.md).
TILE_PX = 256
GPU_BATCH = 8

# The name under which networks return the variance of their image.
VARIANCE = "variance"

# How far below the dilated edge of a cloud the shadow input of a network extends.
SHADOW_REACH_PX = 5


class Runtime(Protocol):
    """Executes a network: scaled batches in, scaled batches out, by name."""

    @property
    def description(self) -> str:
        """Device and precision, for the log and the tags."""
        ...

    @property
    def batch(self) -> int:
        """Batch size that suits the device for tiles of `TILE_PX`; 1 means 1 for any size."""
        ...

    def parallel_batches(self) -> AbstractContextManager[int]:
        """Number of batches that suit the device at once, each on its own thread.

        The runtime is prepared for them until the context exits.
        """
        ...

    def run(self, inputs: Arrays) -> Arrays:
        """Predict "image" (n, band, y, x), and the network's other outputs.

        `inputs` are scaled batches: "optical" (n, band, y, x), "sar" (n, 2, y, x) and "shadow"
        (n, 1, y, x), as far as the card lists them. Of several dates they are (n, t, band, y, x),
        the date of the tile first, and "dates" (n, t) has their days.
        """
        ...


@dataclass(frozen=True)
class TileInputs:
    """Inputs of a network for one tile: reflectance and dB, (band, y, x), NaN for nodata.

    `sar` is None if the network does not use it; `shadow`, (y, x), is True in cloud shadow, None if
    no shadow is known. A network of several dates also takes `others`, from `with_others`; `day` is
    then the day number of the tile itself.
    """

    optical: Float32
    sar: Float32 | None = None
    shadow: NDArray[np.bool_] | None = None
    others: tuple[OtherDate, ...] = ()
    day: float | None = None

    def with_others(
        self, acquired: date, others: Sequence[OtherDate], radar_acquired: date | None = None
    ) -> TileInputs:
        """The tile, acquired that day, with other dates of it: those to show to the network.

        `radar_acquired` is the day of its radar, if that is known.

        Raises
        ------
        InputError
            A date has other bands or pixels than the tile.
        """
        for one in others:
            require_same_pixels(self.optical, one)
        return replace(self, others=tuple(others), day=day_number(acquired, radar_acquired))

    @property
    def dates(self) -> list[OtherDate]:
        """All dates, that of the tile first; one without radar of its own has that of the tile."""
        others = [one if one.sar is not None else replace(one, sar=self.sar) for one in self.others]
        return [OtherDate(self.optical, 0.0, self.sar), *others]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted reflectance and the variance of the prediction, both (band, y, x).

    `variance` is in reflectance squared, None where none is predicted. Both are NaN where a network
    that needs SAR has none.
    """

    mean: Float32
    variance: Float32 | None = None


@dataclass(frozen=True)
class Model:
    """A network with its weights and the card that describes its inputs and scalings."""

    card: ModelCard
    runtime: Runtime

    def batch(self, side: int, dates: int = 1) -> int:
        """Batch size that suits the device for square tiles of that side, in pixels.

        It keeps the number of pixels, in all dates, that the runtime's own batch has.
        """
        usual = self.runtime.batch
        return usual if usual == 1 else max(usual * TILE_PX**2 // (side**2 * dates), 1)

    def predict(self, tiles: Sequence[TileInputs]) -> list[Float32]:
        """Predicted reflectance, (band, y, x), of tiles of one size.

        Missing pixels are filled with the tile's median of their band, sizes are padded by
        reflection to the card's multiple, and both scalings are those of the card. Where a network
        that needs SAR has none, the prediction is NaN.

        Raises
        ------
        ModelError
            The network predicts NaN or infinity.
        """
        return [prediction.mean for prediction in self.predict_with_variance(tiles)]

    def predict_with_variance(self, tiles: Sequence[TileInputs]) -> list[Prediction]:
        """Predicted reflectance as by `predict`, with the variance that the network predicts.

        Raises
        ------
        ModelError
            The network predicts NaN or infinity.
        """
        height, width = tiles[0].optical.shape[-2:]
        bands = len(self.card.output_bands)
        outputs = {
            name: array[:, :bands, :height, :width]
            for name, array in self.runtime.run(self.scaled(tiles)).items()
            if name in ("image", VARIANCE)
        }
        for name, array in outputs.items():
            self._require_finite(name, array)
        scaling = self.card.output_scaling
        images = _nan_without_sar(scaling.inverse(outputs["image"]), tiles)
        if VARIANCE not in outputs:
            return [Prediction(image) for image in images]
        variances = _nan_without_sar(scaling.inverse_variance(outputs[VARIANCE]), tiles)
        return list(map(Prediction, images, variances))

    def scaled(self, tiles: Sequence[TileInputs]) -> Arrays:
        """Inputs of the network for tiles of one size: scaled batches of what the card lists.

        Missing pixels are filled and sizes padded, as `predict` describes.

        Raises
        ------
        ModelError
            The tiles have other dates, and the network takes one, or not all have as many.
        """
        if any(tile.others for tile in tiles):
            return self._scaled_dates(tiles)
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

    def _scaled_dates(self, tiles: Sequence[TileInputs]) -> Arrays:
        """Inputs of a network for several dates of each tile."""
        require_dates(self.card, max(len(tile.others) for tile in tiles))
        if len({len(tile.others) for tile in tiles}) > 1:
            raise ModelError(
                f"tiles of {', '.join(str(1 + len(tile.others)) for tile in tiles)} dates at once",
                wanted="as many dates of every tile",
                hint="give a tile without data on a date NaN for it",
            )
        series = [scaled_dates(tile.dates, _known_day(tile), self.card) for tile in tiles]
        return {name: self._padded(np.stack([one[name] for one in series])) for name in series[0]}

    def _require_finite(self, name: str, array: Float32) -> None:
        """Refuse NaN and infinity: its inputs are finite, so they stem from the network itself."""
        if np.isfinite([array.min(), array.max()]).all():  # a tenth of the time of counting
            return
        broken = int((~np.isfinite(array)).any(axis=1).sum())
        if broken:
            raise ModelError(
                f"{name} of model {self.card.name} is not finite on {broken} pixels of a tile",
                wanted="finite numbers, as its inputs are",
                hint="compute with --precision fp32; if it is set already, the weights are broken",
            )

    def _batch(self, arrays: Sequence[Float32]) -> Float32:
        return self._padded(np.stack([fill_missing(array) for array in arrays]))

    def _padded(self, batch: Float32) -> Float32:
        """A batch, (..., y, x), with sides that the network takes; the days of dates stay."""
        missing = [-length % self.card.multiple for length in batch.shape[-2:]]
        if batch.ndim == 2 or not any(missing):
            return batch
        width = [*((0, 0) for _ in batch.shape[:-2]), *((0, more) for more in missing)]
        # `symmetric` repeats the border pixel and so works for a single row as well.
        return np.pad(batch, width, mode="symmetric")


def require_dates(card: ModelCard, others: int) -> None:
    """Check that a network takes so many other dates.

    Raises
    ------
    ModelError
        It takes one date.
    """
    if others and not card.takes_several_dates:
        raise ModelError(
            f"{others} other dates for model {card.name}",
            wanted="one date, which is all that its network takes",
            hint="leave the other dates out, or give a model of several dates, as "
            "`cloudfree models show` says",
        )


def shadow_input(tile: TileInputs) -> Float32:
    """Cloud shadow of a tile as input of a network, (1, y, x): 1 in shadow, else 0."""
    if tile.shadow is None:
        return np.zeros((1, *tile.optical.shape[-2:]), dtype=np.float32)
    return tile.shadow[None].astype(np.float32)


def _known_day(tile: TileInputs) -> float:
    if tile.day is None:
        raise ModelError(
            "other dates of a tile whose own day is not known",
            wanted="the day from which theirs count",
            hint="give its date of acquisition",
        )
    return tile.day


def _nan_without_sar(batch: Float32, tiles: Sequence[TileInputs]) -> list[Float32]:
    """The pixels of each tile, (band, y, x), NaN where a network that uses SAR has none."""
    for pixels, tile in zip(batch, tiles, strict=True):
        if tile.sar is not None:
            pixels[:, np.isnan(tile.sar).any(axis=0)] = np.nan
    return list(batch)
