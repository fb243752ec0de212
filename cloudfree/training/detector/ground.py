"""Clear ground made different: brighter, of other colours, under snow, or as L2A shows it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.noise import fractal_noise
from cloudfree.simulation.sensors import coarsened

Random = np.random.Generator

BLUE, GREEN, RED = (OPTICAL_BANDS.index(band) for band in ("B02", "B03", "B04"))
NIR, SWIR = OPTICAL_BANDS.index("B08"), OPTICAL_BANDS.index("B11")
NIR_NARROW, VAPOUR = OPTICAL_BANDS.index("B8A"), OPTICAL_BANDS.index("B09")

# What the air itself adds, by band in the order of L1C: rounded Rayleigh reflectance at sea level.
AIR = np.array(
    [0.10, 0.075, 0.043, 0.022, 0.017, 0.013, 0.010, 0.008, 0.007, 0.004, 0.0, 0.001, 0.0],
    dtype=np.float32,
)[:, None, None]
# Fresh snow from above the atmosphere; its grain decides the short-wave infrared.
SNOW = np.array(
    [0.88, 0.90, 0.88, 0.88, 0.87, 0.86, 0.85, 0.84, 0.82, 0.50, 0.004, 0.11, 0.09],
    dtype=np.float32,
)[:, None, None]
# Sand seas from above the atmosphere, rounded. Source: the desert sites by which sensors are
# calibrated, Cosnefroy, Leroy and Briottet (Remote Sens. Environ. 58, 1996).
SAND = np.array(
    [0.24, 0.26, 0.34, 0.46, 0.50, 0.52, 0.55, 0.56, 0.58, 0.30, 0.002, 0.68, 0.60],
    dtype=np.float32,
)[:, None, None]
CIRRUS = OPTICAL_BANDS.index("B10")
SHORT_WAVE = [OPTICAL_BANDS.index(band) for band in ("B11", "B12")]

# Source of both: Hall, Riggs and Salomonson (Remote Sens. Environ. 54, 1995).
SNOW_INDEX, SNOW_MIN_NIR = 0.4, 0.11
# Water under haze has the index too, but is darker than snow that covers half of a pixel.
SNOW_MIN_GREEN = 0.2


def recoloured(ground: Float32, rng: Random) -> Float32:
    """Ground, (13, y, x), brighter or darker as a whole and in its colours, the air's light kept.

    Now and then it becomes as bright as sand, salt and concrete are.
    """
    gain = np.exp(rng.normal(0.0, 0.2))
    if rng.random() < 0.2:
        bright = np.quantile(ground[RED], 0.9)
        gain = rng.uniform(0.3, 0.6) / max(bright, 0.05)
    knots = np.interp(np.arange(13), [0, 4, 8, 12], rng.normal(0.0, 0.1, 4))
    gains = (gain * np.exp(knots)).astype(np.float32)[:, None, None]
    above = np.maximum(ground - AIR, 0.0)
    return np.asarray(np.minimum(above * gains, 1.0) + np.minimum(ground, AIR), dtype=np.float32)


def as_desert(ground: Float32, rng: Random) -> Float32:
    """Sand, (13, y, x), in the relief of the ground and in dunes, as bright as sands are."""
    relief = np.maximum(ground[RED], 0.0) / max(float(ground[RED].mean()), 0.02)
    dunes = fractal_noise(relief.shape, rng, rng.uniform(0.8, 2.0), rng.uniform(10.0, 100.0))
    light = relief ** rng.uniform(0.0, 0.6) * np.exp(rng.uniform(0.0, 0.12) * dunes)
    tilt = np.interp(np.arange(13), [0, 3, 7, 12], rng.normal(0.0, 0.1, 4))
    gains = (rng.uniform(0.45, 1.1) * np.exp(tilt)).astype(np.float32)[:, None, None]
    sand = np.clip(light, 0.4, 1.6) * SAND * gains
    # Roads, houses and fields break the sand now and then.
    bare = _patches(relief.shape, rng, rng.uniform(0.0, 2.5))
    return np.asarray(ground + bare * (sand - ground), dtype=np.float32)


def with_sea(ground: Float32, rng: Random) -> Float32:
    """Ground, (13, y, x), with water on a part of it or all, deep or turbid, in glint or not."""
    waves = fractal_noise(ground.shape[1:], rng, rng.uniform(0.3, 1.5), rng.uniform(4.0, 100.0))
    turbid = np.interp(np.arange(13), [0, 4, 8, 12], [0.5, 1.0, 0.1, 0.0]) * rng.uniform(0.0, 0.06)
    glint = rng.uniform(0.0, 0.05) * rng.random()
    water = AIR + (turbid + glint).astype(np.float32)[:, None, None]
    water = water * np.exp(rng.uniform(0.0, 0.04) * waves).astype(np.float32)
    sea = _patches(ground.shape[1:], rng, rng.uniform(-0.5, 3.0))
    return np.asarray(ground + sea * (water - ground), dtype=np.float32)


def with_roofs(ground: Float32, rng: Random) -> Float32:
    """Ground, (13, y, x), with bright roofs, yards and tanks: sharp edges and any flat colour."""
    roofs = ground.copy()
    whites = np.exp(rng.uniform(np.log(0.15), np.log(0.9), int(rng.integers(3, 80))))
    for white in whites:
        shape = _quadrangle(ground.shape[1:], rng)
        colour = white * np.exp(np.interp(np.arange(13), [0, 3, 8, 12], rng.normal(0.0, 0.15, 4)))
        for index, band in enumerate(OPTICAL_BANDS):
            share = coarsened(shape, band)
            roofs[index] += share * (np.float32(colour[index]) - roofs[index])
    roofs[CIRRUS] = ground[CIRRUS]
    return roofs


def _quadrangle(shape: tuple[int, ...], rng: Random) -> Float32:
    """A rectangle of 20 to 300 m anywhere and at any angle, (y, x), in zeros and ones."""
    sides = np.exp(rng.uniform(np.log(2.0), np.log(30.0), 2))
    middle, angle = rng.uniform(0, shape[::-1], 2), rng.uniform(0.0, 90.0)
    corners = cv2.boxPoints((tuple(middle), tuple(sides), angle))
    filled = np.zeros(shape, dtype=np.float32)
    cv2.fillPoly(filled, [np.rint(corners).astype(np.int32)], 1.0)
    return filled


def _patches(shape: tuple[int, ...], rng: Random, shift: float) -> Float32:
    """Share of another ground, (y, x), in patches with an edge; all, with a `shift` above 2."""
    height, width = shape
    field = fractal_noise((height, width), rng, rng.uniform(1.5, 2.5), 150.0)
    return _step(field + np.float32(shift), 20.0)


def _step(value: Float32, sharpness: float) -> Float32:
    """From 0 below zero to 1 above it, the steeper the sharper."""
    steep = np.clip(sharpness * value, -40.0, 40.0)
    return np.asarray(1.0 / (1.0 + np.exp(-steep)), dtype=np.float32)


def under_snow(ground: Float32, rng: Random) -> tuple[Float32, Float32]:
    """Ground, (13, y, x), under snow that trees, slopes and mild places break, and its share."""
    index = (ground[NIR] - ground[RED]) / np.maximum(ground[NIR] + ground[RED], 0.02)
    canopy = _step(index - rng.uniform(0.35, 0.6), 12.0)
    share = (1.0 - canopy * rng.uniform(0.5, 1.0)) * rng.uniform(0.7, 1.0)
    if rng.random() < 0.5:
        patches = fractal_noise(share.shape, rng, rng.uniform(1.5, 2.5), 200.0)
        # Fresh snow thins out; snow that melts ends at an edge.
        sharpness = np.exp(rng.uniform(np.log(3.0), np.log(30.0)))
        share = share * _step(patches + rng.uniform(-0.7, 1.0), float(sharpness))
    relief = ground[SWIR] - cv2.GaussianBlur(ground[SWIR], (0, 0), 8.0)
    light = np.clip(1.0 + rng.uniform(0.5, 3.0) * relief / 0.1, 0.2, 1.2) * rng.uniform(0.3, 1.1)
    snow = SNOW * np.asarray(light, dtype=np.float32)
    snow[SHORT_WAVE] *= rng.uniform(0.4, 2.0)
    mixed = ground + np.asarray(share, dtype=np.float32) * (snow - ground)
    return np.asarray(mixed, dtype=np.float32), np.asarray(share, dtype=np.float32)


def shows_snow(ground: Float32) -> NDArray[np.bool_]:
    """Where a real image, (13, y, x), shows snow, by the snow index."""
    total = np.maximum(ground[GREEN] + ground[SWIR], 0.02)
    index = (ground[GREEN] - ground[SWIR]) / total
    bright = (ground[NIR] > SNOW_MIN_NIR) & (ground[GREEN] > SNOW_MIN_GREEN)
    return np.asarray((index > SNOW_INDEX) & bright)


def atmospherically_corrected(scene: Float32, rng: Random) -> Float32:
    """A scene of L1C, (13, y, x), roughly as L2A shows it: without the light of the air."""
    corrected = np.maximum(scene - AIR * rng.uniform(0.6, 1.2), 0.0005)
    corrected /= 1.0 - rng.uniform(0.0, 0.12)
    vapour = cv2.GaussianBlur(corrected[NIR_NARROW], (0, 0), 2.0) * rng.uniform(0.85, 1.05)
    corrected[VAPOUR] = vapour
    return np.asarray(corrected, dtype=np.float32)
