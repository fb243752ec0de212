"""Small pictures: reading a scene at reduced size, writing PNG and JPEG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import Float32
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.gdal import ignored_warning

JPEG_QUALITY = "88"

UInt8Image = NDArray[np.uint8]


def reduced(grid: Grid, longest_px: int) -> Grid:
    """The same ground in larger, never smaller, pixels: no side exceeds `longest_px`."""
    factor = max(grid.height, grid.width, longest_px) / longest_px
    height, width = (max(round(side / factor), 1) for side in (grid.height, grid.width))
    scale = grid.transform.scale(grid.width / width, grid.height / height)
    return Grid(grid.crs, grid.transform @ scale, height, width)


def reduced_average(dataset: Dataset, indexes: list[int], grid: Grid) -> NDArray[np.generic]:
    """Bands averaged to the size of `grid`, (band, y, x), in the file's numbers."""
    return _read(dataset, indexes, grid, Resampling.average)


def reduced_classes(mask: Dataset, grid: Grid) -> UInt8Image:
    """The most frequent class, (y, x), at the size of `grid`."""
    return np.asarray(_read(mask, [0], grid, Resampling.mode)[0], dtype=np.uint8)


def reduced_mean(dataset: Dataset, grid: Grid) -> Float32:
    """Mean of all bands, (y, x), by their scales and at the size of `grid`; NaN if none."""
    handle = dataset.handle
    numbers = _read(dataset, list(range(handle.count)), grid, Resampling.average)
    missing = (numbers == handle.nodata).any(axis=0)
    mean = (numbers * np.reshape(handle.scales, (-1, 1, 1))).mean(axis=0)
    return np.where(missing, np.nan, mean).astype(np.float32)


def png(pixels: UInt8Image) -> bytes:
    """A PNG file of red, green, blue and perhaps opacity, (y, x, 3 or 4)."""
    return _encode(pixels, "PNG", {})


def jpeg(pixels: UInt8Image) -> bytes:
    """A JPEG file of red, green and blue, (y, x, 3), a tenth as large as the PNG."""
    return _encode(pixels, "JPEG", {"QUALITY": JPEG_QUALITY})


def _read(
    dataset: Dataset, indexes: list[int], grid: Grid, resampling: Resampling
) -> NDArray[np.generic]:
    return dataset.read(indexes, out_shape=(grid.height, grid.width), resampling=resampling)


def _encode(pixels: UInt8Image, driver: str, options: dict[str, str]) -> bytes:
    height, width, count = pixels.shape
    profile = {"driver": driver, "height": height, "width": width, "count": count, **options}
    with MemoryFile() as memory, ignored_warning(NotGeoreferencedWarning):
        with memory.open(dtype="uint8", **profile) as dataset:
            dataset.write(np.moveaxis(pixels, -1, 0))
        return bytes(memory.read())
