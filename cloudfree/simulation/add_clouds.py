"""Any clear scene under drawn or real clouds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import CloudKind
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.atmosphere import LOW_CLOUD, Atmosphere, apply_atmosphere
from cloudfree.simulation.cloud_fields import (
    CloudParameters,
    Sun,
    dimming,
    draw_atmosphere,
    draw_cirrus,
    draw_haze,
    surrounded,
)
from cloudfree.simulation.cloud_layer import CloudLayer, spread_layers
from cloudfree.simulation.noise import Shape
from cloudfree.simulation.sensors import coarsened

KINDS: tuple[CloudKind, ...] = get_args(CloudKind)

# How often mixed clouds are real ones, where there are layers to take them from.
REAL_SHARE = 0.5
# Real cloud of less opacity does not show, and is left out of scene and truth.
FAINTEST = 0.03
# Position of the sun in Sentinel-2 scenes, and how high low clouds float above the ground.
_AZIMUTH_DEG, _ZENITH_DEG = (90.0, 200.0), (20.0, 60.0)
_HEIGHT_M = (200.0, 1200.0)
_COVER = (0.05, 0.95)


def cloud_over(
    clear: Float32,
    bands: Sequence[str],
    rng: np.random.Generator,
    *,
    kind: CloudKind = "mixed",
    cover: float | None = None,
    sun: Sun | None = None,
    layers: Sequence[CloudLayer] = (),
) -> tuple[Float32, Mask]:
    """A clear scene under clouds, and its mask: cloud (haze too), shadow, clear, no data.

    `clear` is reflectance, (band, y, x), NaN where there is no data, of `bands` named as in L1C, in
    pixels of 10 m with north up; the cloudy scene has the same form and equals it where the mask,
    (y, x), is clear. The same state of `rng` gives the same clouds.
    What is not given, such as the share `cover` of the scene under cloud, is drawn.

    Raises
    ------
    ValueError
        Only real clouds will do, and none of `layers` has the bands.
    """
    height, width = clear.shape[-2:]
    usable = [layer for layer in layers if layer.has(bands)]
    if kind == "real" and not usable:
        raise ValueError(f"no real cloud with bands {', '.join(bands)}")
    parameters = draw_cloud_parameters(rng, kind, cover, sun)
    atmosphere = make_atmosphere((height, width), parameters, rng, usable)
    mask = np.where(np.isfinite(clear).all(axis=0), atmosphere.mask, np.uint8(MaskClass.NODATA))
    return apply_atmosphere(clear, atmosphere, bands), mask


def draw_cloud_parameters(
    rng: np.random.Generator,
    kind: CloudKind = "mixed",
    cover: float | None = None,
    sun: Sun | None = None,
) -> CloudParameters:
    """Cloud parameters of a kind; what is given is not drawn, and changes nothing else."""
    azimuth, zenith = rng.uniform(*_AZIMUTH_DEG), rng.uniform(*_ZENITH_DEG)
    drawn_cover, height_m = rng.uniform(*_COVER), rng.uniform(*_HEIGHT_M)
    _, cirrus, haze = rng.dirichlet((1.0, 0.4, 0.4))
    return CloudParameters(
        cover=drawn_cover if cover is None else cover,
        sun=sun or Sun(azimuth, zenith),
        height_m=height_m,
        cirrus={"mixed": cirrus, "cirrus": 1.0}.get(kind, 0.0),
        haze={"mixed": haze, "haze": 1.0}.get(kind, 0.0),
        real={"mixed": bool(rng.random() < REAL_SHARE), "real": True}.get(kind, False),
        growth=rng.uniform(0.4, 1.3),
        streaks=rng.uniform(0.25, 0.6),
        cirrus_opacity=rng.uniform(0.1, 0.5),
        haze_depth=rng.uniform(0.15, 1.0),
        angstrom=rng.uniform(0.6, 1.8),
        colour=_draw_colour(rng),
    )


def make_atmosphere(
    shape: Shape,
    parameters: CloudParameters,
    rng: np.random.Generator,
    layers: Sequence[CloudLayer] = (),
    shadow_px: tuple[float, float] | None = None,
) -> Atmosphere:
    """An atmosphere over a scene; `shadow_px` is that of `draw_atmosphere`.

    Real clouds cover at most about `parameters.cover`: they are thinned out where they cover
    more. Without `layers` clouds are drawn.
    """
    if parameters.real and layers:
        return _real_atmosphere(shape, parameters, rng, layers, shadow_px or parameters.shadow_px)
    return draw_atmosphere(shape, parameters, rng, shadow_px)


def _draw_colour(rng: np.random.Generator) -> Float32:
    """Reflectance of low cloud, (13,): brighter or darker as a whole, and as its drops are large.

    High tops reach through the vapour that darkens B09 and B10.
    """
    colour = LOW_CLOUD * rng.uniform(0.65, 1.2)
    large_drops, tops = rng.uniform(0.55, 1.1), rng.random() ** 2
    for band, factor in (("B11", large_drops), ("B12", large_drops), ("B09", 0.5 + 1.3 * tops)):
        colour[OPTICAL_BANDS.index(band)] *= factor
    colour[OPTICAL_BANDS.index("B10")] = 0.002 + 0.04 * tops
    return np.asarray(colour, dtype=np.float32)


def _real_atmosphere(
    shape: Shape,
    parameters: CloudParameters,
    rng: np.random.Generator,
    layers: Sequence[CloudLayer],
    shadow_px: tuple[float, float],
) -> Atmosphere:
    """Clouds as they were; where they cover too much, in the shape of drawn ones."""
    wide, scene = surrounded(shape, shadow_px)
    layer = spread_layers(layers, wide, rng)
    low, cover = layer.opacity, layer.cover
    if cover > parameters.cover:
        drawn = replace(parameters, cover=parameters.cover / cover, cirrus=0.0, haze=0.0)
        low = low * draw_atmosphere(wide, drawn, rng, shadow_px).low
    low = np.where(low < FAINTEST, np.float32(0.0), low)
    return Atmosphere(
        low=low[scene],
        cirrus=draw_cirrus(shape, parameters, rng),
        haze=draw_haze(shape, parameters, rng),
        dimming=dimming(low, shadow_px)[scene],
        relief=np.ones(shape, dtype=np.float32),
        colour=_at_resolution(layer.colour[:, *scene], low[scene]),
        angstrom=parameters.angstrom,
    )


def _at_resolution(colour: Float32, opacity: Float32) -> Float32:
    """The colour of cloud, (13, y, x), as bands of coarser pixels show it."""
    planes = (
        coarsened(plane * opacity, band) / np.maximum(coarsened(opacity, band), 1e-6)
        for plane, band in zip(colour, OPTICAL_BANDS, strict=True)
    )
    return np.stack(list(planes)).astype(np.float32)
