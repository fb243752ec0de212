"""What a model predicts for a patch, and with what variance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.core.window import Window
from cloudfree.datasets.patch import Patch
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.sliding_window import predict_rows
from cloudfree.inference.tile_plan import TilePlan

# Images and behind them their variances, (2 * band, y, x), of tiles of one size.
Predict = Callable[[Sequence[TileInputs]], list[Float32]]


def network_variance(model: Model) -> Predict:
    """Predicts with the variance that the network itself tells, NaN where it tells none."""

    def predict(tiles: Sequence[TileInputs]) -> list[Float32]:
        images, variances = model.predict_with_variance(tiles)
        if variances is None:
            variances = [np.full_like(image, np.nan) for image in images]
        return [np.concatenate(pair) for pair in zip(images, variances, strict=True)]

    return predict


def predict_patch(
    model: Model, predict: Predict, patch: Patch, shadow: NDArray[np.bool_], tiled: bool
) -> tuple[Float32, Float32 | None]:
    """Image and variance, reflectance and its square, of the bands that a model predicts.

    Shapes (band, y, x); None where no variance is told. `shadow`, (y, x), is where shadows lie. The
    model sees tiles as its card says and as `remove` blends them, or with `tiled` off the whole
    patch at once.
    """
    card = model.card
    optical = patch.select(patch.cloudy, card.optical_bands)
    height, width = optical.shape[-2:]

    def load(tile: Window) -> TileInputs:
        sar = patch.sar if card.uses_sar else None
        inside = (slice(None), *tile.slices)
        radar = None if sar is None else sar[inside]
        return TileInputs(optical[inside], radar, shadow[tile.slices])

    size, overlap = (card.tile, card.overlap) if tiled else (max(height, width), 0)
    with predict_rows(
        TilePlan(height, width, size, overlap),
        2 * len(card.output_bands),
        lambda _: True,
        load,
        predict,
        lambda _: None,
        model.batch(size),
    ) as rows:
        both = np.concatenate([pixels.copy() for _, pixels, _ in rows], axis=1)
    image, variance = np.split(both, 2)
    return image, None if np.isnan(variance).all() else variance
