"""Simulated clouds over clear images, and what of them a mask should find.

All is decided by the atmosphere alone, pixel by pixel, whatever the ground below:

* thick: opacity of low cloud from 0.5 on (kinds cumulus and real);
* thin: visible opacity, 1 - (1 - low) * (1 - cirrus), from 0.15 to 0.5: edges of low cloud, thin
  real cloud, cirrus (kinds cumulus, real and cirrus);
* faint: the same from 0.05 to 0.15, which eyes see over dark ground;
* haze: optical depth at 0.55 um from 0.2 on (kind haze), which hides 18 % of the ground at least;
* beside: no cloud, cirrus or haze of any opacity at all, and no cloud within 5 pixels;
* shadow: more than 0.25 of the sun's light kept off, by clouds of the scene, where there is no
  cloud; light: less than 0.03. Pixels between, all pixels under any cloud, and the shadows of
  clouds beside the scene are left out: in a whole tile next to none are. Detectors are given the
  sun's azimuth, which the metadata of products have.

Real clouds are those of pairs of other regions of the same fold, so that a detector trained without
the fold saw neither the ground nor the clouds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import CloudKind
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import Atmosphere, apply_atmosphere
from cloudfree.simulation.cloud_fields import dimming
from cloudfree.simulation.cloud_layer import CloudLayer, cut_layer
from tests.bench.mask_counts import Where
from tests.bench.mask_regions import fold_of
from tests.bench.mask_scenes import Scene, distinct, pairs

KINDS: tuple[CloudKind, ...] = ("cumulus", "real", "cirrus", "haze")
LOW_KINDS = ("cumulus", "real")
TIMES = 3  # draws of each kind for each region
PART_PX = 384  # longest side of the part of an image that lies under clouds
THICK, THIN, FAINT, HAZY = 0.5, 0.15, 0.05, 0.2
DIMMED, LIT = 0.25, 0.03
BESIDE_PX = 5


@dataclass(frozen=True)
class Draw:
    """A scene under simulated clouds; `kind` of the clouds, and the atmosphere that made it.

    `own_dimming` is the share of the sun's light, (y, x), that clouds of the scene keep off.
    """

    scene: Scene
    kind: CloudKind
    atmosphere: Atmosphere
    own_dimming: Float32


@dataclass(frozen=True)
class Truth:
    """What a mask should find, (y, x); see above. `light` is ground in the sun without cloud."""

    thick: Where
    thin: Where
    faint: Where
    haze: Where
    beside: Where
    shadow: Where
    light: Where


def truth_of(atmosphere: Atmosphere, kind: CloudKind, own_dimming: Float32) -> Truth:
    """What a mask should find of the clouds of a kind."""
    low, nothing = atmosphere.low, np.zeros(atmosphere.low.shape, np.bool_)
    opacity = 1.0 - (1.0 - low) * (1.0 - atmosphere.cirrus)
    cloudless = (opacity == 0) & (atmosphere.haze == 0)
    is_low, is_haze = kind in LOW_KINDS, kind == "haze"
    around = np.ones((2 * BESIDE_PX + 1,) * 2, np.uint8)
    near = cv2.dilate((~cloudless).astype(np.uint8), around) > 0
    return Truth(
        thick=low >= THICK if is_low else nothing,
        thin=nothing if is_haze else (opacity >= THIN) & (opacity < THICK),
        faint=nothing if is_haze else (opacity >= FAINT) & (opacity < THIN),
        haze=atmosphere.haze >= HAZY if is_haze else nothing,
        beside=np.asarray(~near),
        shadow=cloudless & (own_dimming > DIMMED) if is_low else nothing,
        light=cloudless & (atmosphere.dimming < LIT) if is_low else nothing,
    )


def truth_mask(truth: Truth) -> Mask:
    """The truth in the classes of a mask, for pictures."""
    mask = np.full(truth.thick.shape, MaskClass.CLEAR, dtype=np.uint8)
    mask[truth.shadow] = MaskClass.SHADOW
    mask[truth.thick | truth.thin | truth.haze] = MaskClass.CLOUD
    return mask


def layers_of(regions: Mapping[str, Sequence[Scene]]) -> dict[str, list[CloudLayer]]:
    """Real clouds of the pairs of each region, where there are images with all bands."""
    return {
        region: [
            cut_layer(cloudy.planes, clear.planes, cloudy.bands)
            for cloudy, clear in pairs(list(scenes))
            if cloudy.bands == OPTICAL_BANDS
        ]
        for region, scenes in regions.items()
    }


def draws(
    region: str,
    scenes: Sequence[Scene],
    layers: Mapping[str, Sequence[CloudLayer]],
    times: int = TIMES,
) -> Iterator[Draw]:
    """Each kind of cloud `times` over the clear images of a region that have all bands, in turns.

    The draws are the same at every call: seeds follow from the name of the region, the kind and
    the number of the draw.
    """
    clear = [s for s in distinct(list(scenes)) if s.bands == OPTICAL_BANDS and not s.snowy]
    others = [
        layer
        for name, own in layers.items()
        if name != region and fold_of(name) == fold_of(region)
        for layer in own
    ]
    for number in range(times if clear else 0):
        for place, kind in enumerate(KINDS):
            scene = clear[(number + place) % len(clear)]
            yield _draw(scene, kind, number, others)


def _draw(scene: Scene, kind: CloudKind, number: int, layers: Sequence[CloudLayer]) -> Draw:
    rng = np.random.default_rng((zlib.crc32(scene.region.encode()), KINDS.index(kind), number))
    part = _part(scene, rng)
    parameters = draw_cloud_parameters(rng, kind)
    atmosphere = make_atmosphere(part.valid.shape, parameters, rng, layers)
    cloudy = apply_atmosphere(part.planes, atmosphere, part.bands)
    name = f"{scene.name}_{kind}_{number}"
    scene = replace(
        part,
        name=name,
        kind="simulated",
        planes=cloudy,
        sun_azimuth_deg=parameters.sun.azimuth_deg,
    )
    return Draw(scene, kind, atmosphere, dimming(atmosphere.low, parameters.shadow_px))


def _part(scene: Scene, rng: np.random.Generator) -> Scene:
    """A part of an image, no longer than `PART_PX`; a real cloud in it has no data."""
    planes = np.where(scene.valid, scene.planes, np.float32(np.nan))
    rows, cols = (min(side, PART_PX) for side in scene.valid.shape)
    row, col = (
        int(rng.integers(full - side + 1))
        for full, side in zip(scene.valid.shape, (rows, cols), strict=True)
    )
    return replace(scene, planes=planes[:, row : row + rows, col : col + cols].copy())
