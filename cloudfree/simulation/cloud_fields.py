"""Shapes of clouds, of haze, and of the shadows that clouds throw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.atmosphere import ANGSTROM, LOW_CLOUD, Atmosphere
from cloudfree.simulation.land_cover import PIXEL_M
from cloudfree.simulation.noise import Shape, fractal_noise

# Cloud that dims the sun by less than this throws no shadow.
_FAINTEST_SHADOW = 0.03


@dataclass(frozen=True)
class Sun:
    """Where the sun stands: azimuth clockwise from north and zenith angle, in degrees."""

    azimuth_deg: float
    zenith_deg: float

    def shadow_m(self, height_m: float) -> float:
        """Metres on level ground from a cloud at `height_m` to its shadow."""
        return height_m * math.tan(math.radians(self.zenith_deg))

    def shadow_px(self, height_m: float) -> tuple[float, float]:
        """Rows and columns of 10 m from a cloud to its shadow, north up: away from the sun."""
        length = self.shadow_m(height_m) / PIXEL_M
        azimuth = math.radians(self.azimuth_deg)
        return length * math.cos(azimuth), -length * math.sin(azimuth)


@dataclass(frozen=True)
class CloudParameters:
    """Which clouds there are, and how they stand to the sun.

    `cover`, 0 to 1, is the share of the scene under any of them. Of it `cirrus` and `haze` are the
    shares under thin high cloud and under haze; low cloud, `height_m` above the ground, has the
    rest. Low clouds may be `real` ones; those that are drawn thicken inwards, to an optical depth
    of `growth` where their field is one standard deviation above its value at their edge.
    `cirrus_opacity`, which varies by `streaks`, and `haze_depth` (at 0.55 um) are the greatest
    there are; `colour` is the reflectance of low cloud, (13,). `scale` is the size of drawn low
    clouds: at 0.1 they are a tenth as wide.
    """

    cover: float
    sun: Sun
    height_m: float
    cirrus: float = 0.12
    haze: float = 0.0
    real: bool = False
    growth: float = 1.0
    cirrus_opacity: float = 0.34
    streaks: float = 0.25
    haze_depth: float = 0.6
    angstrom: float = ANGSTROM
    colour: Float32 = field(default_factory=lambda: LOW_CLOUD)
    scale: float = 1.0

    @property
    def shadow_px(self) -> tuple[float, float]:
        """Rows and columns of 10 m from a low cloud to its shadow, north up."""
        return self.sun.shadow_px(self.height_m)


def draw_atmosphere(
    shape: Shape,
    parameters: CloudParameters,
    rng: np.random.Generator,
    shadow_px: tuple[float, float] | None = None,
) -> Atmosphere:
    """Clouds over a scene; low ones beside it throw shadows too.

    Shadows lie `shadow_px`, rows and columns, from their clouds; unless given, as on 10 m pixels.
    """
    shadow_px = shadow_px or parameters.shadow_px
    wide, scene = surrounded(shape, shadow_px)
    thickness = _cumulus_field(wide, rng, parameters.scale)
    wisps = np.exp(0.4 * fractal_noise(wide, rng, 2.6, 30.0)).astype(np.float32)
    cirrus = draw_cirrus(shape, parameters, rng)
    haze = draw_haze(shape, parameters, rng)
    rest = parameters.cover if parameters.cirrus + parameters.haze < 1.0 else 0.0
    thickness -= _threshold(thickness[scene], (cirrus > 0) | (haze > 0), rest)
    # Faster than in proportion: edges are soft, and the inside opaque all the same.
    low = 1.0 - np.exp(-parameters.growth * wisps * np.maximum(thickness, 0.0) ** 1.5)
    return Atmosphere(
        low=low[scene],
        cirrus=cirrus,
        haze=haze,
        dimming=dimming(low, shadow_px)[scene],
        relief=_relief(thickness * wisps, parameters.sun)[scene],
        colour=parameters.colour[:, None, None],
        angstrom=parameters.angstrom,
    )


def surrounded(shape: Shape, shadow_px: tuple[float, float]) -> tuple[Shape, tuple[slice, slice]]:
    """Shape of a scene with all from where shadows fall into it, and the scene's place in that."""
    reach = math.ceil(max(map(abs, shadow_px))) + 4
    inside = slice(reach, -reach)
    return (shape[0] + 2 * reach, shape[1] + 2 * reach), (inside, inside)


def dimming(low: Float32, shadow_px: tuple[float, float]) -> Float32:
    """Share of the sun's light, (y, x), that clouds of opacity `low` keep from the ground."""
    shadow = _moved(low, *shadow_px)
    # What a cloud takes from the sun's beam is more than what it sends back to the sensor.
    taken = 1.0 - (1.0 - shadow) ** 2
    share = np.maximum(taken - _FAINTEST_SHADOW, 0.0) / np.float32(1.0 - _FAINTEST_SHADOW)
    return np.asarray(share, dtype=np.float32)


def _cumulus_field(shape: Shape, rng: np.random.Generator, scale: float) -> Float32:
    """Billows on clusters, (y, x), about normal.

    So smooth that at the edges of clouds brightness changes from pixel to pixel not much more than
    in real scenes, and that clouds of a few pixels are as rare.
    """
    clusters = fractal_noise(shape, rng, 3.0, 180.0 * scale)
    billows = fractal_noise(shape, rng, 3.2, 45.0 * scale)
    return np.asarray(0.75 * clusters + 0.45 * billows, dtype=np.float32)


def _threshold(field: Float32, covered: NDArray[np.bool_], cover: float) -> float:
    """The value above which the field, with what is covered already, fills the share `cover`."""
    share = (cover * field.size - covered.sum()) / max((~covered).sum(), 1)
    if share <= 0:
        return math.inf
    if cover >= 1:
        return float(field.min()) - 0.4
    return float(np.quantile(field[~covered], 1.0 - share))


def draw_cirrus(shape: Shape, parameters: CloudParameters, rng: np.random.Generator) -> Float32:
    """Opacity, (y, x), of a streaky veil over its share of the scene."""
    share = parameters.cirrus * parameters.cover
    if share <= 0:
        return np.zeros(shape, dtype=np.float32)
    noise = fractal_noise(shape, rng, 2.9, 0.9 * max(shape), stretch=1.3)
    streaks = fractal_noise(shape, rng, 1.7, 90.0, stretch=1.8)
    depth = _above(noise, share)
    opacity = parameters.cirrus_opacity * (1.0 - np.exp(-1.1 * depth))
    return np.asarray(opacity * (1.0 + parameters.streaks * np.tanh(streaks)), dtype=np.float32)


def draw_haze(shape: Shape, parameters: CloudParameters, rng: np.random.Generator) -> Float32:
    """Optical depth, (y, x), of smooth haze over its share of the scene."""
    share = parameters.haze * parameters.cover
    if share <= 0:
        return np.zeros(shape, dtype=np.float32)
    depth = _above(fractal_noise(shape, rng, 3.8, 1.2 * max(shape)), share)
    # Haze has no edge: it begins imperceptibly.
    return np.asarray(parameters.haze_depth * (1.0 - np.exp(-1.2 * depth**2)), dtype=np.float32)


def _above(field: Float32, share: float) -> Float32:
    """How far a field, (y, x), rises above the value that its highest `share` exceeds."""
    # Where all of it is meant, the lowest pixel is too.
    floor = np.quantile(field, 1.0 - share) if share < 1 else field.min() - 0.1
    return np.asarray(np.maximum(field - floor, 0.0), dtype=np.float32)


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
