"""What the GDAL of this installation can do."""

from __future__ import annotations

import rasterio
from rasterio.drivers import raster_driver_extensions
from rasterio.env import Env

# What the tool reads and writes: rasters and their copies, Sentinel-2 bands, stacks, pictures.
NEEDED_DRIVERS = ("GTiff", "COG", "JP2OpenJPEG", "VRT", "PNG", "JPEG")


def version() -> str:
    """Version of the GDAL that rasterio brings."""
    return str(rasterio.__gdal_version__)


def drivers() -> dict[str, bool]:
    """Whether each driver that the tool needs is there."""
    raster_driver_extensions()  # registers them
    with Env() as env:
        found = env.drivers()
    return {name: name in found for name in NEEDED_DRIVERS}
