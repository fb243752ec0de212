"""Training samples of the cloud detector: scenes of the regions under clouds, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import CloudKind
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_fields import CloudParameters
from cloudfree.simulation.cloud_layer import CloudLayer
from cloudfree.training.detector.ground import (
    Random,
    as_desert,
    atmospherically_corrected,
    recoloured,
    shows_snow,
    under_snow,
    with_roofs,
    with_sea,
)
from cloudfree.training.detector.labels import Labels, of_atmosphere, of_pair
from cloudfree.training.detector.regions import Region, RegionImage

SIDE_PX = 256
# Share of the samples of each kind; the others are simulated.
REAL_SHARE, CLOUDLESS_SHARE = 0.2, 0.3
KINDS: tuple[CloudKind, ...] = (
    "cumulus", "cumulus", "real", "real", "mixed", "cirrus", "haze",
)  # fmt: skip
ROOF_SHARE, SNOW_SHARE, DESERT_SHARE, SEA_SHARE = 0.2, 0.2, 0.12, 0.08
RECOLOURED_SHARE, CORRECTED_SHARE = 0.6, 0.35
# Share of the drawn cumulus that is small, its least size and its cover; and of skies all overcast,
# with how fast their clouds thicken.
SMALL_SHARE, SMALLEST, SMALL_COVER = 0.5, 1.0 / 12.0, (0.02, 0.4)
OVERCAST_SHARE, OVERCAST_GROWTH = 0.04, (1.0, 6.0)
# A scene may be of pixels up to so many times as large as those of 10 m.
COARSEST = 2.0


@dataclass(frozen=True)
class DetectorSample:
    """A scene, (13, y, x) in reflectance, the bands it has, and the label of each pixel.

    Clouds of a few pixels are told from roofs by the short-wave infrared: a scene that
    `needs_short_wave` teaches nothing but errors without it.
    """

    reflectance: Float32
    present: NDArray[np.bool_]
    labels: Labels
    needs_short_wave: bool = False


def draw_sample(regions: Sequence[Region], rng: Random) -> DetectorSample:
    """A square part of a region's image: a real cloudy one, or a clear one under drawn clouds."""
    region = regions[int(rng.integers(len(regions)))]
    if region.pairs and rng.random() < REAL_SHARE:
        return _real(*region.pairs[int(rng.integers(len(region.pairs)))], rng)
    clear = region.clear[int(rng.integers(len(region.clear)))]
    return _simulated(clear, [layer for one in regions for layer in one.layers], rng)


def _real(cloudy: RegionImage, clear: RegionImage, rng: Random) -> DetectorSample:
    labels = of_pair(cloudy.reflectance, clear.reflectance)
    planes = np.concatenate([cloudy.reflectance, labels[None].astype(np.float32)])
    part = _turned(_part(planes, rng, COARSEST, nearest_last=True), rng)
    return _as_sample(part[:-1], part[-1].astype(np.uint8), cloudy, rng)


def _simulated(clear: RegionImage, layers: Sequence[CloudLayer], rng: Random) -> DetectorSample:
    ground = _turned(_part(clear.reflectance, rng, COARSEST), rng)
    snow = shows_snow(ground).astype(np.float32)
    if rng.random() < RECOLOURED_SHARE and not snow.any():
        ground = recoloured(ground, rng)
    if rng.random() < ROOF_SHARE:
        ground = with_roofs(ground, rng)
    ground, snow = _other_ground(ground, snow, rng)
    parameters = _draw_clouds(rng, bool(layers))
    atmosphere = make_atmosphere((SIDE_PX, SIDE_PX), parameters, rng, layers)
    scene, labels = apply_atmosphere(ground, atmosphere), of_atmosphere(atmosphere, snow)
    small = parameters.scale < 1.0 and parameters.cover > 0.0
    return replace(_as_sample(scene, labels, clear, rng), needs_short_wave=small)


def _other_ground(ground: Float32, snow: Float32, rng: Random) -> tuple[Float32, Float32]:
    """The ground under snow, as sand or with a sea now and then, and its share of snow."""
    drawn, no_snow = rng.random(), np.zeros_like(snow)
    if drawn < SNOW_SHARE:
        return under_snow(ground, rng)
    if drawn < SNOW_SHARE + DESERT_SHARE:
        return as_desert(ground, rng), no_snow
    if drawn < SNOW_SHARE + DESERT_SHARE + SEA_SHARE and not snow.any():
        return with_sea(ground, rng), no_snow
    return ground, snow


def _draw_clouds(rng: Random, any_real: bool) -> CloudParameters:
    """Clouds of a kind, small or all over the scene now and then, or none at all."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    if kind == "real" and not any_real:
        kind = "cumulus"
    parameters = draw_cloud_parameters(rng, kind)
    if rng.random() < CLOUDLESS_SHARE:
        return replace(parameters, cover=0.0)
    if kind == "cumulus" and rng.random() < SMALL_SHARE:
        scale = float(np.exp(rng.uniform(np.log(SMALLEST), 0.0)))
        return replace(parameters, scale=scale, cover=rng.uniform(*SMALL_COVER))
    if rng.random() < OVERCAST_SHARE:
        growth = rng.uniform(*OVERCAST_GROWTH)
        return replace(parameters, cover=1.0, cirrus=0.0, haze=0.0, real=False, growth=growth)
    return parameters


def _as_sample(scene: Float32, labels: Labels, source: RegionImage, rng: Random) -> DetectorSample:
    """The scene as its level or another one shows it, with noise."""
    present = source.present.copy()
    if not source.corrected and rng.random() < CORRECTED_SHARE:
        scene = atmospherically_corrected(scene, rng)
        present[OPTICAL_BANDS.index("B10")] = False
    noise = rng.normal(0.0, rng.uniform(0.0, 0.004), scene.shape).astype(np.float32)
    return DetectorSample(np.maximum(scene + noise, 0.0), present, labels)


def _part(planes: Float32, rng: Random, coarsest: float, nearest_last: bool = False) -> Float32:
    """A random square of an image, made coarser now and then, (plane, 256, 256)."""
    shortest = min(planes.shape[1:])
    side = SIDE_PX
    if rng.random() < 0.4:
        side = int(SIDE_PX * rng.uniform(0.7, coarsest))
    side = min(side, shortest)
    row, col = (int(rng.integers(length - side + 1)) for length in planes.shape[1:])
    cut = planes[:, row : row + side, col : col + side]
    if side == SIDE_PX:
        return cut.copy()
    method = cv2.INTER_AREA if side > SIDE_PX else cv2.INTER_CUBIC
    methods = [method] * len(cut)
    if nearest_last:
        methods[-1] = cv2.INTER_NEAREST
    size = (SIDE_PX, SIDE_PX)
    resized = [cv2.resize(p, size, interpolation=m) for p, m in zip(cut, methods, strict=True)]
    return np.stack(resized).astype(np.float32)


def _turned(planes: Float32, rng: Random) -> Float32:
    """The planes turned and mirrored at random."""
    turned = np.rot90(planes, int(rng.integers(4)), (1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if rng.random() < 0.5 else turned)
