"""Clear ground made different: brighter, of other colours, under snow, or as L2A shows it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.noise import fractal_noise

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
SHORT_WAVE = [OPTICAL_BANDS.index(band) for band in ("B11", "B12")]

# Source of both: Hall, Riggs and Salomonson (Remote Sens. Environ. 54, 1995).
SNOW_INDEX, SNOW_MIN_NIR = 0.4, 0.11


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


def under_snow(ground: Float32, rng: Random) -> tuple[Float32, Float32]:
    """Ground, (13, y, x), under snow that trees, slopes and mild places break, and its share."""
    index = (ground[NIR] - ground[RED]) / np.maximum(ground[NIR] + ground[RED], 0.02)
    canopy = 1.0 / (1.0 + np.exp(-12.0 * (index - rng.uniform(0.35, 0.6))))
    share = (1.0 - canopy * rng.uniform(0.5, 1.0)) * rng.uniform(0.7, 1.0)
    if rng.random() < 0.5:
        patches = fractal_noise(share.shape, rng, rng.uniform(1.5, 2.5), 200.0)
        share = share / (1.0 + np.exp(-6.0 * (patches + rng.uniform(-0.5, 1.0))))
    relief = ground[SWIR] - cv2.GaussianBlur(ground[SWIR], (0, 0), 8.0)
    light = np.clip(1.0 + rng.uniform(0.5, 3.0) * relief / 0.1, 0.25, 1.2) * rng.uniform(0.45, 1.1)
    snow = SNOW * np.asarray(light, dtype=np.float32)
    snow[SHORT_WAVE] *= rng.uniform(0.4, 2.0)
    mixed = ground + np.asarray(share, dtype=np.float32) * (snow - ground)
    return np.asarray(mixed, dtype=np.float32), np.asarray(share, dtype=np.float32)


def shows_snow(ground: Float32) -> NDArray[np.bool_]:
    """Where a real image, (13, y, x), of a place known for snow shows it, by the snow index."""
    total = np.maximum(ground[GREEN] + ground[SWIR], 0.02)
    index = (ground[GREEN] - ground[SWIR]) / total
    return np.asarray((index > SNOW_INDEX) & (ground[NIR] > SNOW_MIN_NIR))


def atmospherically_corrected(scene: Float32, rng: Random) -> Float32:
    """A scene of L1C, (13, y, x), roughly as L2A shows it: without the light of the air."""
    corrected = np.maximum(scene - AIR * rng.uniform(0.6, 1.2), 0.0005)
    corrected /= 1.0 - rng.uniform(0.0, 0.12)
    vapour = cv2.GaussianBlur(corrected[NIR_NARROW], (0, 0), 2.0) * rng.uniform(0.85, 1.05)
    corrected[VAPOUR] = vapour
    return np.asarray(corrected, dtype=np.float32)
