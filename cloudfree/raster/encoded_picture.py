"""Pictures of 8-bit colours as the bytes of a PNG or JPEG file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from cloudfree.raster.gdal import ignored_warning

UInt8Image = NDArray[np.uint8]

JPEG_QUALITY = "88"


def png(pixels: UInt8Image) -> bytes:
    """A PNG file of red, green, blue and perhaps opacity, (y, x, 3 or 4)."""
    return _encode(pixels, "PNG", {})


def jpeg(pixels: UInt8Image) -> bytes:
    """A JPEG file of red, green and blue, (y, x, 3), a tenth as large as the PNG."""
    return _encode(pixels, "JPEG", {"QUALITY": JPEG_QUALITY})


def _encode(pixels: UInt8Image, driver: str, options: dict[str, str]) -> bytes:
    height, width, count = pixels.shape
    profile = {"driver": driver, "height": height, "width": width, "count": count, **options}
    with MemoryFile() as memory, ignored_warning(NotGeoreferencedWarning):
        with memory.open(dtype="uint8", **profile) as dataset:
            dataset.write(np.moveaxis(pixels, -1, 0))
        return bytes(memory.read())
