"""What a model predicts for a patch, and with what variance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cloudfree.core.model_card import ModelCard
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.units import Float32
from cloudfree.core.window import Window
from cloudfree.datasets.patch import Patch
from cloudfree.engine.predict import predict_rows
from cloudfree.runtimes.model import Arrays, Model, Runtime, TileInputs

# The name under which networks return the variance of their image.
VARIANCE = "variance"


def predict_patch(model: Model, patch: Patch, tiled: bool) -> tuple[Float32, Float32 | None]:
    """Image and variance, reflectance and its square, of the bands that a model predicts.

    Shapes (band, y, x); None for a network that tells no variance. The model sees tiles as its
    card says and as `remove` blends them, or with `tiled` off the whole patch at once.
    """
    card, listener = model.card, _Listener(model.runtime)
    listened = Model(card, listener)
    optical = patch.select(patch.cloudy, card.optical_bands)
    height, width = optical.shape[-2:]

    def load(tile: Window) -> TileInputs:
        sar = patch.sar if card.uses_sar else None
        inside = (slice(None), *tile.slices)
        return TileInputs(optical[inside], None if sar is None else sar[inside])

    def run(tiles: Sequence[TileInputs]) -> list[Float32]:
        images = listened.predict(tiles)
        variances = listener.variances(card, images)
        return [np.concatenate(pair) for pair in zip(images, variances, strict=True)]

    size, overlap = (card.tile, card.overlap) if tiled else (max(height, width), 0)
    plan = TilePlan(height, width, size, overlap)
    bands = 2 * len(card.output_bands)
    rows = predict_rows(plan, bands, lambda _: True, load, run, lambda _: None, model.runtime.batch)
    image, variance = np.split(np.concatenate([pixels for _, pixels, _ in rows], axis=1), 2)
    return image, variance if listener.told else None


class _Listener:
    """A runtime that also keeps what its network says of the variance."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._scaled: Float32 | None = None

    @property
    def description(self) -> str:
        return self._runtime.description

    @property
    def batch(self) -> int:
        return self._runtime.batch

    @property
    def told(self) -> bool:
        """Whether the network told a variance."""
        return self._scaled is not None

    def run(self, inputs: Arrays) -> Arrays:
        result = self._runtime.run(inputs)
        self._scaled = result.get(VARIANCE)
        return result

    def variances(self, card: ModelCard, images: Sequence[Float32]) -> list[Float32]:
        """The variances that belong to the images of the last run; NaN where none was told."""
        if self._scaled is None:
            return [np.full_like(image, np.nan) for image in images]
        scaling = card.optical_scaling
        spans = np.array([high - low for low, high in scaling.clip], dtype=np.float32)
        factor = (spans / (scaling.scale[1] - scaling.scale[0])) ** 2
        return [
            variance[: len(image), : image.shape[1], : image.shape[2]]
            * factor[: len(image), None, None]
            for variance, image in zip(self._scaled, images, strict=True)
        ]
