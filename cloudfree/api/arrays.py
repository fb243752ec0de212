"""Cloud mask and cloud removal on arrays, without files.

Optical arrays are top-of-atmosphere reflectance, (band, y, x), 0 to 1, NaN where there is no data;
SAR arrays are VV and VH in dB, (2, y, x), on the same grid.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Unpack, overload

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from cloudfree.api.paths import MaskRules, StrPath, checked_keywords
from cloudfree.cloudmask.detector import Detector
from cloudfree.cloudmask.mask_plan import plan_mask
from cloudfree.cloudmask.morphology import shadow_under_dilation
from cloudfree.core.choices import MaskSettings
from cloudfree.core.grid import Grid, Window
from cloudfree.core.mask_classes import Mask, MaskClass, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32, Radiometry
from cloudfree.core.terminal import Progress, silent
from cloudfree.errors import ErrorCode, InputError
from cloudfree.inference.compositing import FEATHER_PX, compose, feather
from cloudfree.inference.load import load_model
from cloudfree.inference.model import SHADOW_REACH_PX, Model, Prediction, TileInputs
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.sliding_window import (
    BatchPredictor,
    StripAccumulator,
    TilePlan,
    predict_rows,
)
from cloudfree.inference.uncertainty import Uncertainty

logger = logging.getLogger("cloudfree")

# As a file of reflectance in floats has it.
_REFLECTANCE = Radiometry("float32", scale=1.0, offset=0.0, nodata=float("nan"))


@dataclass(frozen=True)
class _Optical:
    """A scene in memory: what the mask and the sliding window need of one on disk."""

    pixels: Float32
    bands: tuple[str, ...]
    grid: Grid
    sun_azimuth_deg: float | None = None
    name: str = "the optical array"

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each band stands in the array."""
        return {band: position for position, band in enumerate(self.bands)}

    def reflectance(self, bands: Sequence[str], window: Window) -> Float32:
        """Reflectance of bands of a window, (band, y, x), NaN where there is no data."""
        positions = [self.positions[band] for band in bands]
        return _REFLECTANCE.decode(self.pixels[:, *window.slices][positions])

    def require(self, bands: Sequence[str], purpose: str) -> None:
        """Refuse an array that lacks one of `bands`."""
        if missing := [band for band in bands if band not in self.positions]:
            raise InputError(
                f"no band {', '.join(missing)} in {self.name} ({', '.join(self.bands)})",
                wanted=f"the bands that {purpose} needs: {', '.join(bands)}",
                hint="give an array with these bands, and name them with bands=",
                code=ErrorCode.MISSING_BAND,
            )


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
    scene = _optical(optical, bands, grid, sun_azimuth_deg)
    if not np.isfinite(scene.pixels).all(axis=0).any():
        raise _refused("no valid pixel in the optical array", "reflectance with data")
    report = progress or silent
    settings = MaskSettings(**checked_keywords(MaskRules, rules))
    plan = plan_mask(scene, settings, report, custom_detector)
    mask = np.concatenate([rows for _, rows in plan.classifier.strips(scene, report)])
    for warning in plan.check.warnings():
        logger.warning(warning)
    return mask


@overload
def remove_clouds(
    optical: ArrayLike, sar: ArrayLike | None, mask: ArrayLike | None,
    model: Model | StrPath = ..., *, bands: Sequence[str] | None = ..., tile: int | None = ...,
    overlap: int | None = ..., batch_size: int | None = ..., uncertainty: Literal[False] = ...,
    progress: Progress | None = ...,
) -> Float32: ...  # fmt: skip


@overload
def remove_clouds(
    optical: ArrayLike, sar: ArrayLike | None, mask: ArrayLike | None,
    model: Model | StrPath = ..., *, bands: Sequence[str] | None = ..., tile: int | None = ...,
    overlap: int | None = ..., batch_size: int | None = ..., uncertainty: Literal[True],
    progress: Progress | None = ...,
) -> tuple[Float32, Float32]: ...  # fmt: skip


def remove_clouds(
    optical: ArrayLike,
    sar: ArrayLike | None,
    mask: ArrayLike | None,
    model: Model | StrPath = DEFAULT_MODEL,
    *,
    bands: Sequence[str] | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    batch_size: int | None = None,
    uncertainty: bool = False,
    progress: Progress | None = None,
) -> Float32 | tuple[Float32, Float32]:
    """The optical array with clouds and shadows filled by a model, float32 (band, y, x).

    Clear pixels stay bit-identical; pixels without data or, for a network that needs it, without
    SAR stay as well. `mask` holds classes of `MaskClass`, (y, x), or is None to fill every pixel;
    `bands` names those of the array, by default the model's in its order. The other options are
    those of `cloudfree remove`. With `uncertainty` the standard deviations of the filled pixels
    come second: reflectance in the shape of `optical`, NaN where nothing is filled.

    Raises
    ------
    CloudfreeError
        Arrays that do not fit each other or the model, or a model that cannot be loaded.
    """
    used = model if isinstance(model, Model) else load_model(os.fspath(model))
    card = used.card
    scene = _optical(optical, bands or card.optical_bands)
    scene.require((*card.optical_bands, *card.output_bands), f"model {card.name}")
    height, width = scene.pixels.shape[1:]
    side = tile or card.tile
    common = card.overlap * side // card.tile if overlap is None else overlap
    plan = TilePlan(height, width, side, common)
    removal = _Removal(
        scene,
        _sar(sar, (height, width)) if card.uses_sar else None,
        None if mask is None else _classes(mask, (height, width)),
        used,
        Uncertainty(used) if uncertainty else None,
    )
    filled, deviation = removal.run(plan, batch_size or used.batch(side), progress or silent)
    return filled if deviation is None else (filled, deviation)


@dataclass(frozen=True)
class _Removal:
    """Arrays of one grid and the model that fills them."""

    scene: _Optical
    sar: Float32 | None
    mask: Mask | None
    model: Model
    uncertainty: Uncertainty | None

    def run(self, plan: TilePlan, batch: int, progress: Progress) -> tuple[Float32, Float32 | None]:
        """The filled array and, with an uncertainty, the standard deviations in its shape."""
        merger = StripAccumulator.for_plan(plan, len(self.model.card.output_bands))
        filled = self.scene.pixels.copy()
        deviation = np.full_like(filled, np.nan) if self.uncertainty else None
        with (
            self.model.runtime.parallel_batches() as batches,
            predict_rows(
                plan, self, BatchPredictor(self._predict, batch, batches), merger, progress
            ) as rows,
        ):
            filled_px = sum(
                self._compose(window, prediction, opacity, filled, deviation)
                for window, prediction, opacity in rows
            )
        self._warn_of_unfilled(filled_px)
        return filled, deviation

    def _predict(self, tiles: Sequence[TileInputs]) -> list[Prediction]:
        if self.uncertainty:
            return self.uncertainty.predict(tiles)
        return [Prediction(image) for image in self.model.predict(tiles)]

    def _compose(
        self,
        window: Window,
        prediction: Prediction,
        opacity: Float32,
        filled: Float32,
        deviation: Float32 | None,
    ) -> int:
        """Lay the predicted rows of a window over the arrays; the number of pixels filled."""
        positions = [self.scene.positions[band] for band in self.model.card.output_bands]
        image = prediction.mean
        where = compose(filled[:, *window.slices], image, opacity, _REFLECTANCE, positions)
        if self.uncertainty and deviation is not None:
            rows = deviation[:, *window.slices]
            rows[positions] = np.where(where, self.uncertainty.deviation(prediction), np.nan)
        return int(where.sum())

    def _warn_of_unfilled(self, filled_px: int) -> None:
        to_fill_px = int((_REFLECTANCE.valid(self.scene.pixels) & (self._opacity > 0)).sum())
        if filled_px < to_fill_px:
            share = 1 - filled_px / to_fill_px
            logger.warning("%.1f%% of the clouds have no Sentinel-1 and stay", 100 * share)

    @cached_property
    def _to_fill(self) -> NDArray[np.bool_]:
        if self.mask is None:
            return np.ones(self.scene.pixels.shape[1:], dtype=np.bool_)
        return is_cloud_or_shadow(self.mask)

    @cached_property
    def _opacity(self) -> Float32:
        return feather(self._to_fill, FEATHER_PX)

    @cached_property
    def _shadow(self) -> NDArray[np.bool_] | None:
        if self.mask is None or not self.model.card.uses_shadow:
            return None
        return shadow_under_dilation(self.mask, SHADOW_REACH_PX)

    def needed(self, tile: Window) -> bool:
        """Whether a tile has pixels to fill."""
        return bool(self._to_fill[tile.slices].any())

    def load_rows(self, window: Window) -> Float32:
        """Opacity of the prediction in a window, (y, x), 0 to 1."""
        return self._opacity[window.slices]

    def load(self, tile: Window) -> TileInputs:
        """Inputs of the network for a tile."""
        optical = self.scene.reflectance(self.model.card.optical_bands, tile)
        radar = None if self.sar is None else self.sar[:, *tile.slices]
        shadow = None if self._shadow is None else self._shadow[tile.slices]
        return TileInputs(optical, radar, shadow)


def _optical(
    pixels: ArrayLike,
    bands: Sequence[str],
    grid: Grid | None = None,
    sun_azimuth_deg: float | None = None,
) -> _Optical:
    """The array with its bands on its grid, refused where they do not fit each other."""
    array = np.asarray(pixels)
    if not np.issubdtype(array.dtype, np.floating):
        raise _refused(f"{array.dtype} numbers in the optical array", "reflectance as floats, 0-1")
    if array.ndim != 3 or len(array) != len(bands):
        raise _refused(
            f"an optical array of shape {array.shape} for {len(bands)} bands", "(band, y, x)"
        )
    height, width = array.shape[1:]
    own = grid or Grid(None, Affine.identity(), height, width)
    if (own.height, own.width) != (height, width):
        raise _refused(
            f"a grid of {own.height} x {own.width} pixels", f"{height} x {width}, as the array has"
        )
    return _Optical(array.astype(np.float32, copy=False), tuple(bands), own, sun_azimuth_deg)


def _sar(sar: ArrayLike | None, shape: tuple[int, ...]) -> Float32:
    """VV and VH in dB, refused where they do not lie on the optical pixels."""
    if sar is None:
        raise _refused("no SAR array", "VV and VH in dB, which the model needs")
    array = np.asarray(sar, dtype=np.float32)
    if array.shape != (2, *shape):
        raise _refused(f"a SAR array of shape {array.shape}", f"VV and VH, {(2, *shape)}")
    return array


def _classes(mask: ArrayLike, shape: tuple[int, ...]) -> Mask:
    """The classes of a mask, refused where they do not lie on the optical pixels."""
    array = np.asarray(mask)
    if array.shape != shape:
        raise _refused(f"a mask of shape {array.shape}", f"one class a pixel, {shape}")
    if others := sorted(set(np.unique(array).tolist()) - set(MaskClass)):
        names = ", ".join(f"{value.value} {value.name.lower()}" for value in MaskClass)
        raise _refused(f"{others[0]} in the mask", f"classes: {names}")
    return array.astype(np.uint8, copy=False)


def _refused(found: str, wanted: str) -> InputError:
    return InputError(found, wanted=wanted, hint="see docs/python.md")
