"""One patch: where its clouds are, what a model makes of it, how good that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_plan import MaskSettings, plan_mask
from cloudfree.cloudmask.morphology import dilate, parse_distance, shadow_under_dilation
from cloudfree.commands.remove.removal_scene import FEATHER_PX, SHADOW_REACH_PX
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from cloudfree.datasets.patch import Patch
from cloudfree.inference.compositing import compose, feather
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.sliding_window import TilePlan, predict_rows
from cloudfree.metrics.image_metrics import has_data
from cloudfree.metrics.protocol import PatchMetrics, Protocol
from cloudfree.raster.georeference import pixel_size_m

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


# How far `remove` grows its mask unless told otherwise.
DILATION = "40m"

NOTHING = "do nothing"


@dataclass(frozen=True)
class Clouds:
    """Where a patch is cloudy by the published score, (y, x), and what `remove` replaces of it.

    `shaded` is where a network that asks for shadows is told of them.
    """

    found: NDArray[np.bool_]
    dilated: NDArray[np.bool_]
    shaded: NDArray[np.bool_]

    def part(self, window: Window) -> Clouds:
        """The clouds of a window."""
        return Clouds(*(getattr(self, one.name)[window.slices] for one in fields(self)))


@dataclass(frozen=True)
class FilledPatch:
    """What a model predicts and what `remove` would write, reflectance of the patch's bands.

    `raw` is NaN in bands that the model does not predict. `variance` has the shape of `raw`, or is
    None where none is told.
    """

    raw: Float32
    written: Float32
    variance: Float32 | None


def find_clouds(patch: Patch) -> Clouds:
    """Clouds and shadows of a patch, thresholds taken over the patch."""
    radius_px = parse_distance(DILATION).pixels(pixel_size_m(patch.grid))
    replaced = dilate(_classes(patch, MaskSettings(thorough=True)), radius_px)
    found = is_cloud_or_shadow(_classes(patch, MaskSettings()))
    shadow = shadow_under_dilation(replaced, SHADOW_REACH_PX)
    return Clouds(found, is_cloud_or_shadow(replaced), shadow)


def _classes(patch: Patch, settings: MaskSettings) -> Mask:
    plan = plan_mask(patch, settings, silent)
    return np.concatenate([rows for _, rows in plan.classifier.strips(patch)])


def restore(
    model: Model, predict: Predict, patch: Patch, clouds: Clouds, tiled: bool
) -> FilledPatch:
    """Let a model restore a patch, in the tiles of its card or all at once."""
    image, variance = predict_patch(model, predict, patch, clouds.shaded, tiled)
    positions = [patch.bands.index(band) for band in model.card.output_bands]
    native = patch.radiometry.encode(patch.cloudy)
    opacity = feather(clouds.dilated, FEATHER_PX)
    compose(native, image, opacity, patch.radiometry, positions)
    return FilledPatch(
        _placed(image, positions, patch),
        patch.radiometry.decode(native),
        None if variance is None else _placed(variance, positions, patch),
    )


def score(
    protocol: Protocol,
    patch: Patch,
    clouds: Clouds,
    restored: Mapping[str, FilledPatch],
    bands: Sequence[str],
) -> dict[str, PatchMetrics]:
    """Figures by method: the cloudy image itself, and of each model both its images.

    All are scored on the same pixels: those where all of them have data.
    """
    images = {NOTHING: protocol.observed(patch.select(patch.cloudy, bands))}
    for label, one in restored.items():
        images[raw_of(label)] = protocol.prediction(patch.select(one.raw, bands))
        images[written_of(label)] = protocol.prediction(patch.select(one.written, bands))
    truth = protocol.observed(patch.select(patch.clear, bands))
    truth[:, ~np.all([has_data(image) for image in images.values()], axis=0)] = np.nan
    return {
        method: protocol.figures(truth, image, clouds.dilated) for method, image in images.items()
    }


def raw_of(label: str) -> str:
    """The method that is a model's prediction for every pixel."""
    return f"{label}, raw"


def written_of(label: str) -> str:
    """The method that is what `remove` writes with a model."""
    return f"{label}, written"


def _placed(image: Float32, positions: Sequence[int], patch: Patch) -> Float32:
    """The bands of a model at their places among those of the patch, NaN in the others."""
    placed = np.full_like(patch.cloudy, np.nan)
    placed[positions] = image
    return placed
