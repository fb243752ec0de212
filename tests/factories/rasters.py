"""Small Sentinel-like rasters made by code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.raster.gdal import ignored_warning

UTM31 = "EPSG:32631"
TEN_METRES = Affine(10, 0, 500_000, 0, -10, 4_500_000)

# Top-of-atmosphere reflectance of B01..B12 as L1C scenes show it.
FIELD = (0.13, 0.11, 0.10, 0.09, 0.13, 0.24, 0.29, 0.27, 0.31, 0.12, 0.002, 0.20, 0.12)
CLOUD = (0.60, 0.58, 0.56, 0.57, 0.59, 0.62, 0.64, 0.62, 0.65, 0.35, 0.02, 0.45, 0.35)


def write_raster(
    path: Path,
    pixels: np.ndarray,
    names: Sequence[str | None],
    crs: str | None = UTM31,
    transform: Affine = TEN_METRES,
    nodata: float | None = None,
    **tags: str,
) -> Path:
    """Write (band, y, x) with band names and tags."""
    options: dict[str, Any] = {"crs": crs, "transform": transform} if crs else {}
    with (
        ignored_warning(NotGeoreferencedWarning),
        rasterio.open(
            path, "w", driver="GTiff", count=len(pixels), height=pixels.shape[1],
            width=pixels.shape[2], dtype=pixels.dtype, nodata=nodata, **options,
        ) as dataset,
    ):  # fmt: skip
        dataset.write(pixels)
        dataset.descriptions = tuple(names)
        dataset.update_tags(**tags)
    return path


def cloudy_scene(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Digital numbers, (13, y, x), of a field with one round cloud in the middle, and the cloud."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:height, :width]
    cloud = np.hypot(rows - height / 2, cols - width / 2) < min(height, width) / 4
    spectra = np.where(cloud, np.reshape(CLOUD, (13, 1, 1)), np.reshape(FIELD, (13, 1, 1)))
    noise = rng.normal(0, 0.003, spectra.shape)
    return np.clip(10_000 * (spectra + noise), 1, 65535).astype(np.uint16), cloud


def write_cloudy_scene(path: Path, height: int = 96, width: int = 96, **kind: Any) -> Path:
    """Write the cloudy scene as an L1C raster."""
    return write_raster(path, cloudy_scene(height, width)[0], OPTICAL_BANDS, **kind)


def write_radar(path: Path, height: int = 96, width: int = 96, **kind: Any) -> Path:
    """Write speckled VV and VH in dB."""
    speckle = np.random.default_rng(1).normal(0, 1, (2, height, width))
    pixels = speckle + np.reshape([-11.0, -17.0], (2, 1, 1))
    return write_raster(path, pixels.astype(np.float32), SAR_BANDS, **kind)


def write_one_band(path: Path, source: Path, band: str) -> Path:
    """Write one band of a raster alone, by its name, such as the VV of a radar."""
    with rasterio.open(source) as dataset:
        place = dataset.descriptions.index(band)
        profile = {**dataset.profile, "driver": "GTiff", "count": 1}
        with rasterio.open(path, "w", **profile) as alone:
            alone.write(dataset.read(place + 1), 1)
            alone.descriptions = (band,)
            alone.update_tags(**dataset.tags())
    return path
