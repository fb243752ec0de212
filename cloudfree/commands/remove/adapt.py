"""`cloudfree remove --adapt`: the model is corrected by the scene's own clear ground."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.score import CIRRUS_BAND, SCORE_BANDS, Planes, cloud_score, haze_index
from cloudfree.cloudmask.shadow import SHADOW_REACH_M, Bits, ShadowProjection
from cloudfree.cloudmask.sun_geometry import Sun
from cloudfree.commands.remove.cloudy_scene import ClassSource, FillSource
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.grid import Grid, Window
from cloudfree.core.mask_classes import Mask, MaskClass, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.parallel.environment import trim_malloc
from cloudfree.raster.warp import displacement_px, pixel_size_m
from cloudfree.simulation.cloud_layer import OPACITY_BANDS
from cloudfree.training.adaptation.examples import ClearSample, CloudTransplant, cut_transplant
from cloudfree.training.adaptation.fit import Adaptation, AdaptationSettings, adapt

logger = logging.getLogger("cloudfree")

# With fewer samples for training or validation the model is not adapted.
MIN_TRAINING, MIN_HELD_OUT = 6, 3


@dataclass(frozen=True)
class AdaptationResult:
    """Whether the model was adapted, and the reason.

    `gain_db` is the gain on held-out samples under clouds and `error_db` its standard error; None
    if nothing was trained. `share` is the share of the correction that is added.
    """

    adapted: bool
    reason: str
    gain_db: float | None = None
    error_db: float | None = None
    share: float = 0.0
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """`yes`, or `no` and the reason, for the tags of the result."""
        return "yes" if self.adapted else f"no: {self.reason}"

    def summary(self) -> str:
        """One line for people."""
        return f"{'adapted' if self.adapted else 'not adapted'} to the scene: {self.reason}"


def adapt_to_scene(
    scene: RemovalScene, progress: Progress, settings: AdaptationSettings | None = None
) -> tuple[RemovalScene, AdaptationResult]:
    """The scene with the model adapted to it where that is better, and what was measured."""
    settings = settings or AdaptationSettings()
    found = _find_samples(scene, settings.seed)
    if isinstance(found, ClearSamples):
        transplants = find_transplants(scene, settings.seed)
        result = adapt(scene.model, found.training, found.held_out, transplants, settings, progress)
        scene, adapted = replace(scene, model=result.model), _adapted(result, found)
        trim_malloc()
    else:
        adapted = AdaptationResult(False, found)
    logger.info("%s", adapted.summary())
    return scene, adapted


def _find_samples(scene: RemovalScene, seed: int) -> ClearSamples | str:
    """The clear samples of a scene, or why there are too few."""
    optical = scene.optical
    if scene.mask is None:
        return "every pixel is filled, and no mask gives its clear ground"
    if missing := [band for band in CLEAR_BANDS if band not in optical.bands]:
        return f"no band {', '.join(missing)}, which separate clear ground from haze"
    if min(optical.grid.height, optical.grid.width) < WINDOW_PX:
        return f"a scene of less than {WINDOW_PX} pixels is too small to train on"
    found = find_clear_samples(scene, scene.mask, seed)
    if len(found.training) < MIN_TRAINING or len(found.held_out) < MIN_HELD_OUT:
        return (
            f"{len(found.training) + len(found.held_out)} of {found.examined} parts of the scene "
            f"have enough surely clear ground, {MIN_TRAINING + MIN_HELD_OUT} are needed"
        )
    return found


def _adapted(result: Adaptation, found: ClearSamples) -> AdaptationResult:
    if math.isnan(result.gain_db):
        return AdaptationResult(False, "its clear ground made too few training examples")
    reason = (
        f"{result.gain_db:+.2f} dB (standard error {result.error_db:.2f}) on "
        f"{len(found.held_out)} held-out clear parts, by {result.share:.0%} of the correction "
        f"fitted to {len(found.training)} others"
        + ("" if result.kept else "; not a significant gain")
    )
    return AdaptationResult(
        result.kept, reason, result.gain_db, result.error_db, result.share, result.seconds
    )


# A cloud mask errs on the side of few clouds, since clear pixels stay original. Where clear pixels
# serve as the truth for training, the opposite error is the safe one: only surely clear pixels
# count.

CLEAR_BANDS = SCORE_BANDS

# Greatest cloud score of clear ground; the mask counts cloud from 0.2 on.
MAX_SCORE = 0.15
# Greatest index of haze of clear ground. Source: the constant of Fmask (Zhu and Woodcock, Remote
# Sens. Environ. 118, 2012) for top-of-atmosphere reflectance.
MAX_HAZE = 0.08
# Greatest reflectance of the cirrus band over clear ground, of which that band shows little.
MAX_CIRRUS = 0.004
# Haze and cirrus are smooth; the mean over so many pixels suppresses bright roofs and noise.
SMOOTH_PX = 7


@dataclass(frozen=True)
class CloudMargin:
    """How far clouds and shadows may reach unseen: `margin_px` around, and along `projection`."""

    margin_px: int
    projection: ShadowProjection

    @property
    def halo_px(self) -> int:
        """How far around a window the mask must be known."""
        columns = sum(abs(col) for _, col in (self.projection.start, *self.projection.shifts))
        return max(self.projection.halo_px, columns) + self.margin_px


def far_from_clouds(mask: Mask, around: CloudMargin) -> Bits:
    """Clear pixels of a mask, (y, x), that no cloud or shadow of it can reach."""
    reached = is_cloud_or_shadow(mask) | around.projection.project(mask == MaskClass.CLOUD)
    clear = mask == MaskClass.CLEAR
    return np.asarray(clear & ~_dilated(reached, around.margin_px), dtype=np.bool_)


def is_haze_free(planes: Planes) -> Bits:
    """Where no haze, cirrus or thin cloud shows, (y, x), in reflectance by band name."""
    clean = (cloud_score(planes) < MAX_SCORE) & (_smooth(haze_index(planes)) < MAX_HAZE)
    if CIRRUS_BAND in planes:
        clean &= _smooth(planes[CIRRUS_BAND]) < MAX_CIRRUS
    return np.asarray(clean, dtype=np.bool_)


def _dilated(bits: Bits, radius_px: int) -> Bits:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(bits.astype(np.uint8), disc) > 0)


def _smooth(plane: Float32) -> Float32:
    """Mean around each pixel; NaN next to a pixel without data.

    Not `cv2.blur`: its running sum would carry NaN on.
    """
    share = np.full(SMOOTH_PX, 1 / SMOOTH_PX, dtype=np.float32)
    return np.asarray(cv2.sepFilter2D(plane, cv2.CV_32F, share, share), dtype=np.float32)


# Side of the windows that the network is run on. In small scenes only the block in the middle of a
# window counts, so that there are enough of them.
WINDOW_PX, SMALL_BLOCK_PX = 128, 64
SMALL_SCENE_PX = 768
# At most so many windows are used, and at most so many are examined to find them.
MAX_TRAINING, MAX_HELD_OUT = 48, 16
MAX_EXAMINED = 600
# Smallest share of surely clear pixels of a block that is used.
MIN_KNOWN = 0.15
# Width of the edge of a held-out block that does not count: it keeps training pixels apart.
EDGE_PX = 8
# Margin around the clouds of the mask, and beyond the farthest of its shadows.
MARGIN_M = 100.0
# Margin under an unknown sun: a shadow may lie on any side of its cloud.
UNKNOWN_SUN_M = 800.0


@dataclass(frozen=True)
class ClearSamples:
    """Samples for training and for validation, and the number of blocks `examined`."""

    training: tuple[ClearSample, ...]
    held_out: tuple[ClearSample, ...]
    examined: int


def find_clear_samples(scene: RemovalScene, mask: ClassSource, seed: int) -> ClearSamples:
    """Clear samples from windows of a scene in random order; every third is held out."""
    finder = _Finder(scene, mask, _cloud_margin(mask.sun, scene.optical))
    windows = _windows(scene.optical.grid)
    order = np.random.default_rng((seed, 0)).permutation(len(windows))[:MAX_EXAMINED]
    training: list[ClearSample] = []
    held_out: list[ClearSample] = []
    examined = 0
    for index in order:
        if len(training) == MAX_TRAINING and len(held_out) == MAX_HELD_OUT:
            break
        examined += 1
        is_held_out = (len(training) + len(held_out)) % 3 == 1 and len(held_out) < MAX_HELD_OUT
        sample = finder.sample(*windows[int(index)], EDGE_PX if is_held_out else 0)
        if sample is not None:
            (held_out if is_held_out else training).append(sample)
    return ClearSamples(tuple(training), tuple(held_out), examined)


def _windows(grid: Grid) -> list[tuple[Window, Window]]:
    """Windows, and in each the block whose pixels count; blocks do not overlap."""
    side = SMALL_BLOCK_PX if min(grid.height, grid.width) < SMALL_SCENE_PX else WINDOW_PX
    rows, cols = (range(0, length - side + 1, side) for length in (grid.height, grid.width))
    blocks = [Window(row, col, side, side) for row in rows for col in cols]
    return [(_around(block, grid), block) for block in blocks]


def _around(block: Window, grid: Grid) -> Window:
    """The window around a block, centred on it or moved into the scene."""
    height, width = min(WINDOW_PX, grid.height), min(WINDOW_PX, grid.width)
    row = block.row - (height - block.height) // 2
    col = block.col - (width - block.width) // 2
    row, col = (
        int(np.clip(row, 0, grid.height - height)),
        int(np.clip(col, 0, grid.width - width)),
    )
    return Window(row, col, height, width)


def _cloud_margin(sun: Sun | None, optical: FillSource) -> CloudMargin:
    """How far clouds and shadows reach under the sun of the mask, or else that of the scene."""
    grid = optical.grid
    pixel_m = pixel_size_m(grid)
    margin = round(MARGIN_M / pixel_m)
    if sun and sun.origin == "none":  # no shadow shows
        return CloudMargin(margin, ShadowProjection())
    azimuth = sun.azimuth_deg if sun else None
    if azimuth is None:
        azimuth = optical.sun_azimuth_deg
    if azimuth is None:
        return CloudMargin(round(UNKNOWN_SUN_M / pixel_m), ShadowProjection())
    # From the cloud itself on: some clouds may float lower than those that decided the distance.
    farthest = sun.shadow_distance_m[1] if sun and sun.shadow_distance_m else 0.0
    reach_m = (farthest or SHADOW_REACH_M - MARGIN_M) + MARGIN_M
    line = ShadowProjection.between((0.0, 0.0), displacement_px(grid, azimuth + 180.0, reach_m))
    return CloudMargin(margin, line)


@dataclass(frozen=True)
class _Finder:
    """Finds the clear sample of one window after the other."""

    scene: RemovalScene
    mask: ClassSource
    around: CloudMargin

    def sample(self, window: Window, block: Window, edge_px: int) -> ClearSample | None:
        """The sample of a window; None if too little of the block is surely clear."""
        least = MIN_KNOWN * block.height * block.width
        grid = self.scene.optical.grid
        outer = window.buffered(self.around.halo_px, grid.height, grid.width)
        known = far_from_clouds(self.mask.classes(outer), self.around)[window.relative_to(outer)]
        known &= _inside(block, window, edge_px)
        if known.sum() < least:
            return None
        optical = self.scene.optical
        bands = (*CLEAR_BANDS, *(band for band in (CIRRUS_BAND,) if band in optical.bands))
        known &= is_haze_free(dict(zip(bands, optical.reflectance(bands, window), strict=True)))
        if known.sum() < least:
            return None
        inputs = self.scene.load(window)
        for array in (inputs.optical, inputs.sar):
            if array is not None:
                known &= np.isfinite(array).all(axis=0)
        return ClearSample(inputs, known) if known.sum() >= least else None


def _inside(block: Window, window: Window, edge_px: int) -> NDArray[np.bool_]:
    """The pixels of a window, (y, x), inside the block and not in its edge."""
    inside = np.zeros((window.height, window.width), dtype=np.bool_)
    rows, cols = (slice(s.start + edge_px, s.stop - edge_px) for s in block.relative_to(window))
    inside[rows, cols] = True
    return inside


# So many are enough for all examples; at most so many windows are examined to find them.
MAX_TRANSPLANTS, MAX_EXAMINED_FOR_CLOUDS = 40, 400
# With less cloud there is little to train on, with more the network sees no ground beside it.
MIN_HIDDEN, MAX_HIDDEN = 0.15, 0.95


def find_transplants(scene: RemovalScene, seed: int) -> tuple[CloudTransplant, ...]:
    """Clouds and shadows from random windows of a scene, which is at least WINDOW_PX on each side.

    Empty without a mask, and for a model that does not predict all of its optical bands, or not the
    bands that give the opacity.
    """
    card, grid = scene.model.card, scene.optical.grid
    predicts_all = card.output_bands == card.optical_bands
    if scene.mask is None or not predicts_all or not set(OPACITY_BANDS) <= set(card.output_bands):
        return ()
    rng = np.random.default_rng((seed, 1))
    transplants: list[CloudTransplant] = []
    for _ in range(MAX_EXAMINED_FOR_CLOUDS):
        row = int(rng.integers(grid.height - WINDOW_PX + 1))
        col = int(rng.integers(grid.width - WINDOW_PX + 1))
        found = _transplant(scene, scene.mask, Window(row, col, WINDOW_PX, WINDOW_PX))
        transplants += [found] if found else []
        if len(transplants) == MAX_TRANSPLANTS:
            break
    return tuple(transplants)


def _transplant(scene: RemovalScene, mask: ClassSource, window: Window) -> CloudTransplant | None:
    """The clouds of a window; None if it has too little or too much, or lacks data."""
    classes = mask.classes(window)
    if not MIN_HIDDEN <= is_cloud_or_shadow(classes).mean() <= MAX_HIDDEN:
        return None
    inputs = scene.load(window)
    filled = scene.model.predict([inputs])[0]
    if not (np.isfinite(inputs.optical).all() and np.isfinite(filled).all()):
        return None
    return cut_transplant(inputs.optical, filled, classes, scene.model.card.optical_bands)
