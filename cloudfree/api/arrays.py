"""Cloud mask and cloud removal on arrays, without files.

Optical arrays are top-of-atmosphere reflectance, (band, y, x), 0 to 1, NaN where there is no data;
SAR arrays are VV and VH in dB, (2, y, x), on the same grid.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from cloudfree.api.array_filling import ArrayRemoval
from cloudfree.api.array_scene import mask_array, optical_array, radar_array, refused
from cloudfree.api.paths import MaskRules, StrPath, checked_keywords
from cloudfree.cloudmask.detector import Detector
from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.commands.remove.cloudy_scene import MaskedScene
from cloudfree.commands.remove.filling import Filling
from cloudfree.core.choices import FillBy, MaskSettings
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import Mask
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, silent
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import Model
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.sliding_window import TilePlan

logger = logging.getLogger("cloudfree")


def cloud_mask(
    optical: ArrayLike,
    bands: Sequence[str],
    *,
    grid: Grid | None = None,
    sun_azimuth_deg: float | None = None,
    progress: Progress | None = None,
    custom_detector: Detector | None = None,
    **rules: Unpack[MaskRules],
) -> Mask:
    """The classes of an optical array, uint8 (y, x): those of `MaskClass`, as `cloudfree mask`.

    `bands` names those of the array, such as B02. Without a `grid` pixels are 10 m and rows run
    from north to south. `sun_azimuth_deg` is where the sun stands, clockwise from north; without it
    the shadows show it. `rules` are those of `cloudfree mask`, with the same defaults; a
    `custom_detector` takes the place of the one that they name.

    Raises
    ------
    InputError
        The array has the wrong shape or type, lacks a band, or has no valid pixel.
    """
    scene = optical_array(optical, bands, grid, sun_azimuth_deg)
    if not np.isfinite(scene.pixels).all(axis=0).any():
        raise refused("no valid pixel in the optical array", "reflectance with data")
    report = progress or silent
    settings = MaskSettings(**checked_keywords(MaskRules, rules))
    plan = plan_mask(scene, settings, report, custom_detector)
    mask = np.concatenate([rows for _, rows in plan.classifier.strips(scene, report)])
    for warning in plan.check.warnings():
        logger.warning(warning)
    return mask


class FillKeywords(TypedDict, total=False):
    """Those of `cloudfree.remove` that say what fills clouds, and in which tiles."""

    fill_by: FillBy
    tile: int | None
    overlap: int | None
    batch_size: int | None


@overload
def remove_clouds(
    optical: ArrayLike, sar: ArrayLike | None, mask: ArrayLike | None,
    model: Model | StrPath = ..., *, bands: Sequence[str] | None = ...,
    uncertainty: Literal[False] = ..., progress: Progress | None = ...,
    **options: Unpack[FillKeywords],
) -> Float32: ...  # fmt: skip


@overload
def remove_clouds(
    optical: ArrayLike, sar: ArrayLike | None, mask: ArrayLike | None,
    model: Model | StrPath = ..., *, bands: Sequence[str] | None = ...,
    uncertainty: Literal[True], progress: Progress | None = ...,
    **options: Unpack[FillKeywords],
) -> tuple[Float32, Float32]: ...  # fmt: skip


def remove_clouds(
    optical: ArrayLike,
    sar: ArrayLike | None,
    mask: ArrayLike | None,
    model: Model | StrPath = DEFAULT_MODEL,
    *,
    bands: Sequence[str] | None = None,
    uncertainty: bool = False,
    progress: Progress | None = None,
    **options: Unpack[FillKeywords],
) -> Float32 | tuple[Float32, Float32]:
    """The optical array with clouds and shadows filled, float32 (band, y, x).

    `fill_by` is what fills them, as in `cloudfree remove`: "auto" is the scene itself and the
    model, weighed on clear ground of the scene; "network" the model alone; "scene" the scene
    itself, for which `sar` may be None and no model is loaded. Clear pixels stay bit-identical;
    pixels without data or, for a network that needs it, without SAR stay as well. `mask` holds
    classes of `MaskClass`, (y, x), or is None to have every pixel filled by the model; `bands`
    names those of the array, by default the model's in its order. The other options are those of
    `cloudfree remove`. With `uncertainty` the standard deviations of the filled pixels come second:
    reflectance in the shape of `optical`, NaN where nothing is filled.

    Raises
    ------
    CloudfreeError
        Arrays that do not fit each other or the model, or a model that cannot be loaded.
    """
    given = checked_keywords(FillKeywords, options)
    fill_by = given.get("fill_by", "auto")
    card = model.card if isinstance(model, Model) else find_card(os.fspath(model), None).card
    scene = optical_array(optical, bands or card.optical_bands)
    shape = scene.grid.height, scene.grid.width
    needs_radar = card.uses_sar and fill_by != "scene"
    removal = ArrayRemoval(
        scene,
        MaskedScene(scene, None if mask is None else mask_array(mask, shape)),
        None if sar is None and not needs_radar else radar_array(sar, shape),
        card,
        fill_by,
        progress or silent,
    )
    removal.check()
    filled, deviation = removal.filled(_filling(removal, model, given, uncertainty))
    return (filled, deviation) if uncertainty else filled


def _filling(
    removal: ArrayRemoval, model: Model | StrPath, given: Mapping[str, Any], uncertainty: bool
) -> Filling:
    """The way of filling that is asked for, with its model if it needs one."""
    if removal.fill_by == "scene":
        return removal.by_scene(uncertainty)
    used = model if isinstance(model, Model) else load_model(os.fspath(model))
    shape = removal.optical.grid.height, removal.optical.grid.width
    plan = _tile_plan(removal.card, shape, given.get("tile"), given.get("overlap"))
    batch = given.get("batch_size") or used.batch(plan.tile)
    return removal.by_model(used, plan, batch, uncertainty)


def _tile_plan(
    card: ModelCard, shape: tuple[int, int], tile: int | None, overlap: int | None
) -> TilePlan:
    """The caller's tiles or the card's; the default overlap is the card's fraction of the tile."""
    side = tile or card.tile
    common = card.overlap * side // card.tile if overlap is None else overlap
    return TilePlan(*shape, side, common)
