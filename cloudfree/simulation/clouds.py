"""Clouds, their shadows, and what both do to the light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.cloud_mask import Mask, MaskClass
from cloudfree.core.units import Float32
from cloudfree.simulation.landscape import PIXEL_M
from cloudfree.simulation.noise import Shape, fractal_noise
from cloudfree.simulation.reflectance import PATH, coarsened

# Top-of-atmosphere reflectance in the order of the L1C bands. Low cloud of water drops is white in
# the visible, absorbs in the short-wave infrared and lies below the vapour that blackens B10; thin
# high ice adds least in the short-wave infrared and shows in B10, where the ground does not.
# Source: rounded typical values of thick cumulus and of cirrus in Sentinel-2 L1C scenes.
LOW_CLOUD = np.array(
    [0.860, 0.875, 0.860, 0.920, 0.925, 0.950, 0.990, 0.950, 1.010, 0.300, 0.004, 0.700, 0.500],
    dtype=np.float32,
)
CIRRUS = np.array(
    [0.900, 0.880, 0.850, 0.860, 0.850, 0.840, 0.830, 0.830, 0.820, 0.780, 0.330, 0.280, 0.260],
    dtype=np.float32,
)
# Share of the light on the ground that comes from the sky and from clouds beside, not from the sun.
DIFFUSE = np.array(
    [0.62, 0.54, 0.46, 0.40, 0.38, 0.37, 0.36, 0.36, 0.35, 0.35, 0.50, 0.29, 0.26],
    dtype=np.float32,
)

# Share of the cloudy pixels under the thin high cloud, and its greatest opacity.
_CIRRUS_SHARE = 0.12
_CIRRUS_OPACITY = 0.34
# How quickly low cloud thickens inwards, per standard deviation of its field.
_GROWTH = 1.3
# Cloud that dims the sun by less than this throws no shadow.
_FAINTEST_SHADOW = 0.03


@dataclass(frozen=True)
class Sky:
    """Clouds over a scene, every array (y, x) and 0-1.

    `low` and `cirrus` are opacities as the sensor sees them, `dimming` the share of the sun's light
    that low clouds keep from the ground, `relief` the brightness of cloud tops around 1.
    """

    low: Float32
    cirrus: Float32
    dimming: Float32
    relief: Float32

    @property
    def mask(self) -> Mask:
        """Cloud where there is any, shadow where only the sun is dimmed, clear elsewhere."""
        mask = np.full(self.low.shape, MaskClass.CLEAR, dtype=np.uint8)
        mask[self.dimming > 0] = MaskClass.SHADOW
        mask[(self.low > 0) | (self.cirrus > 0)] = MaskClass.CLOUD
        return mask


@dataclass(frozen=True)
class Sun:
    """Where the sun stands: azimuth clockwise from north and zenith angle, in degrees."""

    azimuth_deg: float
    zenith_deg: float

    def shadow_px(self, height_m: float) -> tuple[float, float]:
        """Rows and columns from a cloud at `height_m` to its shadow: away from the sun."""
        length = height_m * math.tan(math.radians(self.zenith_deg)) / PIXEL_M
        azimuth = math.radians(self.azimuth_deg)
        return length * math.cos(azimuth), -length * math.sin(azimuth)


def draw_sky(
    shape: Shape, cover: float, sun: Sun, height_m: float, rng: np.random.Generator
) -> Sky:
    """Clouds over the share `cover`, 0 to 1, of a scene; those beside it throw shadows too."""
    row, col = sun.shadow_px(height_m)
    reach = math.ceil(max(abs(row), abs(col))) + 4
    wide = (shape[0] + 2 * reach, shape[1] + 2 * reach)
    field = _cumulus_field(wide, rng)
    wisps = np.exp(0.45 * fractal_noise(wide, rng, 1.6, 30.0)).astype(np.float32)
    scene = (slice(reach, -reach), slice(reach, -reach))
    cirrus = _cirrus(shape, _CIRRUS_SHARE * cover, rng)
    thickness = field - _threshold(field[scene], cirrus > 0, cover)
    low = 1.0 - np.exp(-_GROWTH * wisps * np.maximum(thickness, 0.0))
    shadow = _moved(low, row, col)[scene]
    # What a cloud takes from the sun's beam is more than what it sends back to the sensor.
    taken = 1.0 - (1.0 - shadow) ** 2
    dimming = np.maximum(taken - _FAINTEST_SHADOW, 0.0) / (1.0 - _FAINTEST_SHADOW)
    return Sky(low[scene], cirrus, dimming, _relief(thickness * wisps, sun)[scene])


def _cumulus_field(shape: Shape, rng: np.random.Generator) -> Float32:
    """Billows on clusters, (y, x), about normal."""
    clusters = fractal_noise(shape, rng, 2.8, 180.0)
    billows = fractal_noise(shape, rng, 2.5, 45.0)
    return np.asarray(0.75 * clusters + 0.45 * billows, dtype=np.float32)


def _threshold(field: Float32, covered: NDArray[np.bool_], cover: float) -> float:
    """The value above which the field, with what is covered already, fills the share `cover`."""
    share = (cover * field.size - covered.sum()) / max((~covered).sum(), 1)
    if share <= 0:
        return math.inf
    if cover >= 1:
        return float(field.min()) - 0.4
    return float(np.quantile(field[~covered], 1.0 - share))


def _cirrus(shape: Shape, share: float, rng: np.random.Generator) -> Float32:
    """Opacity of a streaky veil over a share of the scene."""
    veil = fractal_noise(shape, rng, 2.9, 0.9 * max(shape), stretch=1.3)
    streaks = fractal_noise(shape, rng, 1.7, 90.0, stretch=1.8)
    if share <= 0:
        return np.zeros(shape, dtype=np.float32)
    depth = np.maximum(veil - np.quantile(veil, 1.0 - share), 0.0)
    opacity = _CIRRUS_OPACITY * (1.0 - np.exp(-1.1 * depth)) * (1.0 + 0.25 * np.tanh(streaks))
    return np.asarray(opacity, dtype=np.float32)


def _relief(thickness: Float32, sun: Sun) -> Float32:
    """Light and shade on the tops of clouds."""
    tops = cv2.GaussianBlur(np.maximum(thickness, 0.0), (0, 0), 1.5)
    down, right = np.gradient(tops)
    azimuth = math.radians(sun.azimuth_deg)
    lit = 1.6 * (down * math.cos(azimuth) - right * math.sin(azimuth))
    return np.asarray(1.0 + 0.14 * np.tanh(lit) + 0.10 * np.tanh(tops - 0.8), dtype=np.float32)


def _moved(plane: Float32, rows: float, cols: float) -> Float32:
    """A plane moved by pixels; what comes from outside is clear sky. The sun's width blurs it."""
    matrix = np.array([[1.0, 0.0, cols], [0.0, 1.0, rows]])
    moved = cv2.warpAffine(plane, matrix, plane.shape[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), 1.0), dtype=np.float32)


def seen_through(clear: Float32, sky: Sky) -> Float32:
    """Reflectance, (13, y, x), of a `clear` scene under a sky; clear sky changes nothing."""
    cloudy = np.empty_like(clear)
    for index, band in enumerate(OPTICAL_BANDS):
        dimming = (1.0 - DIFFUSE[index]) * _within(sky.dimming, band)
        path = PATH[index]
        ground = clear[index] - np.maximum(clear[index] - path, 0.0) * dimming
        low, cirrus = _within(sky.low, band), _within(sky.cirrus, band)
        ground += low * (LOW_CLOUD[index] * coarsened(sky.relief, band) - ground)
        cloudy[index] = ground + cirrus * (CIRRUS[index] - ground)
    return cloudy


def _within(plane: Float32, band: str) -> Float32:
    """A plane at the band's resolution, kept from leaking out of where it is above 0."""
    return np.asarray(coarsened(plane, band) * (plane > 0), dtype=np.float32)
