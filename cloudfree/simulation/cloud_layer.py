"""Real cloud, cut from a cloudy and a clear image of one place.

Thin cloud mixes its light with that of the ground: cloudy = (1 - opacity) * ground + opacity *
colour. With the ground known from the clear image, opacity follows from how far a pixel has moved
from the ground towards the colour of dense cloud, and the colour of the cloud from the remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.dihedral import DihedralTransform
from cloudfree.core.radiometry import Float32
from cloudfree.inference.sliding_window import TilePlan, tile_weight
from cloudfree.simulation.atmosphere import CIRRUS, LOW_CLOUD
from cloudfree.simulation.noise import Shape, fractal_noise

# Cloud brightens all of them; what changes on the ground brightens some more and others less.
OPACITY_BANDS = ("B02", "B03", "B04")
# Ground closer to the colour of dense cloud than this, in reflectance, says nothing about opacity.
LEAST_CONTRAST = 0.2
# Brightness of dense cloud relative to typical cumulus: that of the brightest cloud of the image,
# within these limits. Where all cloud is thin, opacity comes out too high and colour too dark.
DENSE_GAIN = (0.6, 0.95)
# Opacity up to this is taken for a change of the ground.
FAINTEST = 0.08
# Cloud so dense shows a colour of its own; thinner cloud has that of what is around it.
DENSE = 0.8
# No cloud is darker, in any band; where one seems to be, the ground was brighter on the clear day.
DARKEST = 0.4 * np.minimum(LOW_CLOUD, CIRRUS)

_BRIGHTEST = 0.98
_SMOOTH_PX = 8.0
# Where more than this share of the surroundings is darker than cloud, they tell for bright ground.
_SOME_KNOWN = 0.1
_MEDIAN_PX = 5
_BOX_PX = 15
# Texture of the ground below this, in reflectance, leaves no trace in the opacity.
_FLAT = 0.01
_THIN_PX = 4.0
# Pieces of real cloud are enlarged up to this, of small donors to the least size of a piece, and
# bent by some pixels over some distance.
_MAX_ZOOM = 1.6
_PIECE_PX = (128, 512)
_BENT_PX, _BEND_PX = 48, 150.0


@dataclass(frozen=True)
class CloudLayer:
    """Cloud without the ground below.

    `opacity` is (y, x), 0 to 1, and 0 where the donor was clear; `colour` is the reflectance of the
    cloud, (13, y, x) in the order of the L1C bands, NaN in bands that the donor lacks.
    """

    opacity: Float32
    colour: Float32

    def has(self, bands: Sequence[str]) -> bool:
        """Whether the donor had all these bands."""
        places = [OPTICAL_BANDS.index(band) for band in bands]
        return not np.isnan(self.colour[places, 0, 0]).any()

    @property
    def cover(self) -> float:
        """Share of the pixels under cloud."""
        return float((self.opacity > 0).mean())


def cut_layer(cloudy: Float32, clear: Float32, bands: Sequence[str]) -> CloudLayer:
    """The cloud that a cloudy image, (band, y, x), has and a clear one of the same ground has not.

    Over ground as bright as the cloud, such as snow, opacity is undetermined: there the layer adds
    to dark ground the difference of the images.

    Raises
    ------
    ValueError
        Bands B02, B03 and B04 are not among `bands`.
    """
    seen = np.isfinite(cloudy).all(axis=0) & np.isfinite(clear).all(axis=0)
    cloudy, clear = (np.where(seen, image, np.float32(0.0)) for image in (cloudy, clear))
    opacity = _opacity(cloudy, clear, bands)
    # The light of the cloud alone; without the smoothing, ground that has changed shows in it.
    light = cloudy - (1.0 - opacity) * clear
    colour = np.full((len(OPTICAL_BANDS), *opacity.shape), np.nan, dtype=np.float32)
    weight = np.maximum(_blurred(opacity**2, _SMOOTH_PX), 1e-6)
    own = np.clip(opacity / DENSE, 0.0, 1.0) ** 2 * (opacity > 0)
    for plane, band in zip(light, bands, strict=True):
        exact = plane / np.maximum(opacity, 1e-3)
        smooth = _blurred(plane * opacity, _SMOOTH_PX) / weight
        colour[OPTICAL_BANDS.index(band)] = np.maximum(
            smooth + own * (exact - smooth), DARKEST[OPTICAL_BANDS.index(band)]
        )
    return CloudLayer(opacity, colour)


def _opacity(cloudy: Float32, clear: Float32, bands: Sequence[str]) -> Float32:
    """Opacity, (y, x): the least of the visible bands, and 0 where that is next to none."""
    places = [list(bands).index(band) for band in OPACITY_BANDS]
    typical = LOW_CLOUD[[OPTICAL_BANDS.index(band) for band in OPACITY_BANDS]]
    seen, ground = cloudy[places], clear[places]
    brightness = (seen / typical[:, None, None]).min(axis=0)
    gain = np.clip(np.quantile(brightness, _BRIGHTEST), *DENSE_GAIN)
    raw = _raw_opacity(seen, ground, (gain * typical)[:, None, None])
    speckless = np.asarray(cv2.medianBlur(raw, _MEDIAN_PX), dtype=np.float32)
    cloud = _without_ground(speckless, ground.mean(axis=0))
    return np.asarray(np.clip((cloud - FAINTEST) / (1.0 - FAINTEST), 0.0, 1.0), dtype=np.float32)


def _raw_opacity(seen: Float32, ground: Float32, dense: Float32) -> Float32:
    """Opacity, (y, x), that brings `ground` to what is `seen` of the colour of `dense` cloud.

    Small bright ground takes that of its surroundings; over wide bright ground it is the opacity
    that gives the difference over black.
    """
    contrast = (dense - ground).min(axis=0)
    known = (contrast > LEAST_CONTRAST).astype(np.float32)
    difference = seen - ground
    ratio = difference / np.maximum(dense - ground, LEAST_CONTRAST)
    exact = np.clip(ratio.min(axis=0), 0.0, 1.0)
    near = _blurred(known, _SMOOTH_PX)
    around = _blurred(exact * known, _SMOOTH_PX) / np.maximum(near, 1e-6)
    black = np.clip((difference / dense).min(axis=0), 0.0, 1.0)
    filled = np.where(near > _SOME_KNOWN, around, black)
    return np.where(known > 0, exact, filled).astype(np.float32)


def _without_ground(opacity: Float32, ground: Float32) -> Float32:
    """Opacity less what the ground has left in it.

    Texture that follows the ground goes: cloud does not know of fields. What ground leaves that has
    changed, or lies a little beside, cannot be stronger than its own texture; a Wiener filter
    (Lee, "Digital image enhancement and noise filtering", 1980) takes it for noise.
    """
    slope = _covariance(opacity, ground) / (_covariance(ground, ground) + _FLAT**2)
    cloud = opacity - _mean(slope) * (ground - _mean(ground))
    power, noise = _covariance(cloud, cloud), _covariance(ground, ground) + _FLAT**2
    kept = np.maximum(power - noise, 0.0) / np.maximum(power, noise)
    smooth = _blurred(cloud, _THIN_PX)
    return np.asarray(smooth + kept * (cloud - smooth), dtype=np.float32)


def _covariance(one: Float32, other: Float32) -> Float32:
    """Covariance of two planes around each pixel, never negative for one with itself."""
    shared = _mean(one * other) - _mean(one) * _mean(other)
    return np.asarray(np.maximum(shared, 0.0) if one is other else shared, dtype=np.float32)


def _mean(plane: Float32) -> Float32:
    return np.asarray(cv2.blur(plane, (_BOX_PX, _BOX_PX)), dtype=np.float32)


def _blurred(plane: Float32, width_px: float) -> Float32:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), width_px), dtype=np.float32)


def spread_layers(
    layers: Sequence[CloudLayer], shape: Shape, rng: np.random.Generator
) -> CloudLayer:
    """Pieces of `layers` over a scene, turned, mirrored, enlarged, fading into each other."""
    smallest = min(min(layer.opacity.shape) for layer in layers)
    side = int(np.clip(smallest, *_PIECE_PX))
    wide = (shape[0] + 2 * _BENT_PX, shape[1] + 2 * _BENT_PX)
    plan = TilePlan(*wide, side, side // 2)
    # Colour times opacity, then opacity: what lies above each other adds up.
    light = np.zeros((len(OPTICAL_BANDS) + 1, *wide), dtype=np.float32)
    total = np.zeros(wide, dtype=np.float32)
    for window in plan:
        piece = _piece(layers[int(rng.integers(len(layers)))], side, rng)
        weight = tile_weight(window.height, window.width, plan.overlap)
        light[:, *window.slices] += weight * piece[:, : window.height, : window.width]
        total[window.slices] += weight
    light = _bent(light / total, rng)
    opacity = light[-1]
    return CloudLayer(opacity, light[:-1] / np.maximum(opacity, np.float32(1e-6)))


def _bent(planes: Float32, rng: np.random.Generator) -> Float32:
    """Planes, (n, y, x), drawn out of shape and cut, so that the seams of pieces are no lines."""
    height, width = (side - 2 * _BENT_PX for side in planes.shape[1:])
    rows, cols = np.indices((height, width), dtype=np.float32)
    bend = [fractal_noise((height, width), rng, 2.2, _BEND_PX) for _ in range(2)]
    down, right = (np.clip(_BENT_PX / 3 * noise, -_BENT_PX, _BENT_PX) for noise in bend)
    from_row, from_col = rows + down + _BENT_PX, cols + right + _BENT_PX
    return np.stack([cv2.remap(plane, from_col, from_row, cv2.INTER_LINEAR) for plane in planes])


def _piece(layer: CloudLayer, side: int, rng: np.random.Generator) -> Float32:
    """Light (colour times opacity) and, last, opacity of a part of a layer, (14, side, side)."""
    cut = min(round(side / rng.uniform(1.0, _MAX_ZOOM)), *layer.opacity.shape)
    row, col = (int(rng.integers(length - cut + 1)) for length in layer.opacity.shape)
    turn = DihedralTransform(int(rng.integers(4)), bool(rng.integers(2)))
    part = (slice(row, row + cut), slice(col, col + cut))
    opacity = layer.opacity[part]
    piece = np.empty((len(OPTICAL_BANDS) + 1, side, side), dtype=np.float32)
    for index, plane in enumerate((*layer.colour[:, *part] * opacity, opacity)):
        piece[index] = cv2.resize(turn.apply(plane), (side, side), interpolation=cv2.INTER_LINEAR)
    return piece
