"""One place on several dates, with clouds where they are wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from cloudfree.core.bands import OPTICAL_BANDS
from tests.factories.cloudy_scenes import CLOUD, VEGETATION, spectrum
from tests.factories.rasters import write_raster

SIDE = 128
Part = tuple[slice, slice]


def write_date(
    path: Path,
    cloud: Part | None = None,
    moved: tuple[float, float] = (0.0, 0.0),
    bands: tuple[str, ...] = OPTICAL_BANDS,
    **kind: Any,
) -> Path:
    """Write fields of a few pixels as an L1C raster, moved by rows and columns, under a cloud."""
    noise = gaussian_filter(np.random.default_rng(7).normal(0, 1, (SIDE, SIDE)), 1.5)
    fields = shift(1 + 0.25 * noise / noise.std(), moved, order=3, mode="nearest")
    pixels = spectrum(VEGETATION) * np.clip(fields, 0.3, 2).astype(np.float32)
    if cloud:
        pixels[:, *cloud] = spectrum(CLOUD)[:, :, :]
    numbers = np.clip(np.rint(pixels * 10_000), 1, 65535).astype(np.uint16)
    chosen = numbers[[OPTICAL_BANDS.index(band) for band in bands]]
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_raster(path, chosen, bands, **kind)
