"""One patch: its clouds, the filled patch by each model, and its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.cloudmask.morphology import dilate, parse_distance, shadow_under_dilation
from cloudfree.core.choices import DILATION, PUBLISHED_MASK, MaskSettings
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from cloudfree.datasets.patch import Patch
from cloudfree.inference.compositing import FEATHER_PX, compose, feather
from cloudfree.inference.date_series import OtherDate
from cloudfree.inference.model import SHADOW_REACH_PX, Model, Prediction, TileInputs
from cloudfree.inference.sliding_window import (
    BatchPredictor,
    StripAccumulator,
    TilePlan,
    predict_rows,
)
from cloudfree.metrics.image_metrics import has_data
from cloudfree.metrics.protocol import PatchMetrics, Protocol
from cloudfree.raster.warp import pixel_size_m

# Predicts tiles of one size, with variances if there are any.
Predict = Callable[[Sequence[TileInputs]], list[Prediction]]


@dataclass(frozen=True)
class _PatchTiler:
    """Tiles of a patch for a model; all of them are predicted."""

    optical: Float32
    sar: Float32 | None
    shadow: NDArray[np.bool_]
    others: tuple[OtherDate, ...] = ()
    day: float | None = None

    def needed(self, _: Window) -> bool:
        """True: the whole patch is scored."""
        return True

    def load(self, tile: Window) -> TileInputs:
        """Inputs of the network for a tile."""
        inside = (slice(None), *tile.slices)
        sar = None if self.sar is None else self.sar[inside]
        others = tuple(one.each(lambda array: array[inside]) for one in self.others)
        return TileInputs(self.optical[inside], sar, self.shadow[tile.slices], others, self.day)

    def load_rows(self, _: Window) -> None:
        """Nothing: the patch is in memory."""


def predict_patch(
    model: Model, predict: Predict, patch: Patch, shadow: NDArray[np.bool_], tiled: bool
) -> Prediction:
    """Prediction of the bands that a model predicts, with the variance if there is one.

    `shadow`, (y, x), is True in cloud shadow. The model predicts tiles as its card says, blended as
    `remove` blends them, or with `tiled` off the whole patch at once. A model of several dates is
    shown the other dates of the patch.
    """
    card = model.card
    optical = patch.select(patch.cloudy, card.optical_bands)
    others = patch.others_in(card.optical_bands) if card.takes_several_dates else ()
    height, width = optical.shape[-2:]
    size, overlap = (card.tile, card.overlap) if tiled else (max(height, width), 0)
    plan = TilePlan(height, width, size, overlap)
    with predict_rows(
        plan,
        _PatchTiler(optical, patch.sar if card.uses_sar else None, shadow, others, patch.day),
        BatchPredictor(predict, model.batch(size)),
        StripAccumulator.for_plan(plan, len(card.output_bands)),
    ) as rows:
        parts = [(part.mean.copy(), _copied(part.variance)) for _, part, _ in rows]
    variances = [variance for _, variance in parts if variance is not None]
    return Prediction(
        np.concatenate([mean for mean, _ in parts], axis=1),
        np.concatenate(variances, axis=1) if variances else None,
    )


def _copied(array: Float32 | None) -> Float32 | None:
    return None if array is None else array.copy()


NOTHING = "do nothing"


@dataclass(frozen=True)
class Clouds:
    """Where clouds and shadows of a patch by the published score are filled, (y, x).

    `dilated` is what `remove` fills; `shaded` is the shadow input of networks that use one.
    """

    dilated: NDArray[np.bool_]
    shaded: NDArray[np.bool_]

    def part(self, window: Window) -> Clouds:
        """The clouds of a window."""
        return Clouds(self.dilated[window.slices], self.shaded[window.slices])


@dataclass(frozen=True)
class FilledPatch:
    """The prediction of a model and the image that `remove` writes, in the patch's bands.

    Both are reflectance, (band, y, x). `prediction` is NaN in bands that the model lacks.
    """

    prediction: Prediction
    written: Float32


def find_clouds(patch: Patch) -> Clouds:
    """Clouds and shadows of a patch, thresholds taken over the patch."""
    radius_px = parse_distance(DILATION).pixels(pixel_size_m(patch.grid))
    dilated = dilate(classes_of(patch, replace(PUBLISHED_MASK, sensitive=True)), radius_px)
    shadow = shadow_under_dilation(dilated, SHADOW_REACH_PX)
    return Clouds(is_cloud_or_shadow(dilated), shadow)


def classes_of(patch: Patch, settings: MaskSettings) -> Mask:
    """The classes of the pixels of a patch, (y, x)."""
    plan = plan_mask(patch, settings, silent)
    return np.concatenate([rows for _, rows in plan.classifier.strips(patch)])


def fill_patch(
    model: Model, predict: Predict, patch: Patch, clouds: Clouds, tiled: bool
) -> FilledPatch:
    """Fill the clouds of a patch with a model, in the tiles of its card or all at once."""
    prediction = predict_patch(model, predict, patch, clouds.shaded, tiled)
    positions = [patch.bands.index(band) for band in model.card.output_bands]
    native = patch.radiometry.encode(patch.cloudy)
    opacity = feather(clouds.dilated, FEATHER_PX)
    compose(native, prediction.mean, opacity, patch.radiometry, positions)
    return FilledPatch(
        _placed(prediction, positions, patch),
        patch.radiometry.decode(native),
    )


def score(
    protocol: Protocol,
    patch: Patch,
    clouds: Clouds,
    filled: Mapping[str, FilledPatch],
    bands: Sequence[str],
) -> dict[str, PatchMetrics]:
    """Metrics by method: the cloudy image itself, and of each model both its images.

    All are scored on the same pixels: those where all of them have data.
    """
    images = {NOTHING: protocol.observed(patch.select(patch.cloudy, bands))}
    for label, one in filled.items():
        images[raw_of(label)] = protocol.prediction(patch.select(one.prediction.mean, bands))
        images[written_of(label)] = protocol.prediction(patch.select(one.written, bands))
    truth = protocol.observed(patch.select(patch.clear, bands))
    truth[:, ~np.all([has_data(image) for image in images.values()], axis=0)] = np.nan
    return {
        method: protocol.figures(truth, image, clouds.dilated) for method, image in images.items()
    }


def raw_of(label: str) -> str:
    """Name of the method: a model's prediction for every pixel."""
    return f"{label}, raw"


def written_of(label: str) -> str:
    """Name of the method: the image that `remove` writes with a model."""
    return f"{label}, written"


def _placed(prediction: Prediction, positions: Sequence[int], patch: Patch) -> Prediction:
    """The bands of a model at their positions among those of the patch, NaN in the others."""

    def placed(pixels: Float32) -> Float32:
        bands = np.full_like(patch.cloudy, np.nan)
        bands[positions] = pixels
        return bands

    variance = prediction.variance
    return Prediction(placed(prediction.mean), None if variance is None else placed(variance))
