"""Small cloudy scenes as arrays, with a known sun."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from affine import Affine

from cloudfree.cloudmask.shadow import PixelAxes
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Grid, Window

TEN_METRE_AXES = PixelAxes(north=(-0.1, 0.0), east=(0.0, 0.1))

# Reflectance of B01 to B12 as seen from space.
VEGETATION = (0.13, 0.10, 0.09, 0.07, 0.1, 0.2, 0.25, 0.28, 0.3, 0.1, 0.002, 0.18, 0.09)
CLOUD = (0.55, 0.55, 0.53, 0.55, 0.56, 0.58, 0.6, 0.6, 0.6, 0.3, 0.02, 0.45, 0.35)
SHADOW = (0.10, 0.07, 0.05, 0.03, 0.03, 0.05, 0.06, 0.06, 0.06, 0.03, 0.002, 0.04, 0.02)
SNOW = (0.75, 0.75, 0.72, 0.74, 0.74, 0.73, 0.72, 0.7, 0.7, 0.3, 0.003, 0.06, 0.05)
WATER = (0.12, 0.08, 0.06, 0.03, 0.02, 0.02, 0.02, 0.015, 0.01, 0.005, 0.001, 0.005, 0.003)


def spectrum(values: Sequence[float]) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)[:, None, None]


def cloudy_scene(
    size: int = 200,
    sun_azimuth_deg: float = 150.0,
    distance_m: float = 500.0,
    clouds: int = 12,
    seed: int = 0,
    axes: PixelAxes = TEN_METRE_AXES,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reflectance (13, y, x), where the clouds are and where their shadows are."""
    random = np.random.default_rng(seed)
    cloud, shadow = np.zeros((2, size, size), dtype=bool)
    row_shift, col_shift = axes.displacement(sun_azimuth_deg + 180.0, distance_m)
    rows, cols = np.mgrid[:size, :size]
    for row, col, radius in zip(
        *random.uniform(0, size, (2, clouds)), random.uniform(8, 16, clouds), strict=True
    ):
        cloud |= np.hypot(rows - row, cols - col) < radius
        shadow |= np.hypot(rows - row - row_shift, cols - col - col_shift) < radius
    texture = random.normal(1.0, 0.05, (size, size)).astype(np.float32)
    pixels = spectrum(VEGETATION) * texture
    pixels[:, shadow] = (spectrum(SHADOW) * texture)[:, shadow]
    pixels[:, cloud] = (spectrum(CLOUD) * texture)[:, cloud]
    return pixels, cloud, shadow & ~cloud


def planes_of(pixels: np.ndarray, bands: Sequence[str] = OPTICAL_BANDS) -> dict[str, np.ndarray]:
    return (
        dict(zip(OPTICAL_BANDS, pixels, strict=True))
        if bands is OPTICAL_BANDS
        else {band: pixels[OPTICAL_BANDS.index(band)] for band in bands}
    )


@dataclass
class ArraySource:
    """A scene in memory that remembers which windows were read, and which bands."""

    pixels: np.ndarray
    bands: tuple[str, ...] = OPTICAL_BANDS
    reads: list[Window] = field(default_factory=list)
    bands_read: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        return Grid(None, Affine.identity(), *self.pixels.shape[1:])

    def reflectance(self, bands: Sequence[str], window: Window) -> np.ndarray:
        self.reads.append(window)
        self.bands_read.append(tuple(bands))
        indexes = [OPTICAL_BANDS.index(band) for band in bands]
        return self.pixels[indexes][:, *window.slices].copy()


def degrees_apart(one: float, other: float) -> float:
    return abs(math.remainder(one - other, 360.0))
