"""What the files of a drawn scene hold: grids, profiles and pixels, by place and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from cloudfree.cloudmask.mask_file import mask_profile
from cloudfree.commands.simulate.over import SUN_ZENITH_TAG
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS, colour_interpretation
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import CLASS_TAG
from cloudfree.core.output_set import OutputSet
from cloudfree.core.radiometry import QUANTIFICATION, Float32, Radiometry
from cloudfree.core.terminal import Progress
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.sentinel2.gdal_tags import OFFSET_TAG
from cloudfree.simulation.land_cover import PIXEL_M, Where
from cloudfree.simulation.scene import SAR_MARGIN_PX, SAR_OFFSET_PX, SimulatedScene

# Farmland at 48.7 degrees north on the middle meridian of UTM zone 31, where grid north is north.
LATITUDE_DEG, LONGITUDE_DEG = 48.7, 3.0
_EPSG = 32631
_CORNER = (500_000.0, 5_400_000.0)

# Acquisition times of the scene; the tag is that of GDAL's SENTINEL2 driver.
TIME_TAG = "PRODUCT_START_TIME"
OPTICAL_TIME = datetime(2021, 4, 24, 10, 50, 21, 24_000, UTC)
SAR_TIME = datetime(2021, 4, 24, 17, 32, 40, 512_000, UTC)

_RADIOMETRY = Radiometry("uint16", 1 / QUANTIFICATION, 0.0, 0.0)


@dataclass(frozen=True)
class Product:
    """A raster, (band, y, x), that is to be written."""

    grid: Grid
    profile: CogProfile
    pixels: NDArray[np.generic]


def write_products(
    products: Mapping[Path, Product],
    creation_options: Mapping[str, str],
    progress: Progress,
    overwrite: bool = True,
) -> None:
    """Write COGs with creation options of the user: all of them, or none.

    Raises
    ------
    OutputError
        GDAL refuses the options, or they would change pixels; a file cannot be written, or was
        made meanwhile and `overwrite` is not set.
    """
    profiles = {
        path: replace(product.profile, creation_options=creation_options)
        for path, product in products.items()
    }
    for profile in profiles.values():
        profile.check_creation_options()
    with OutputSet(next(iter(products)), overwrite) as outputs:
        for path, product in progress(products.items(), len(products), "writing", "file"):
            with CogWriter(path, product.grid, profiles[path], outputs) as writer:
                writer.write(product.grid.window, product.pixels)


def optical(scene: SimulatedScene, reflectance: Float32, acquired: datetime) -> Product:
    """Sentinel-2, clear or cloudy."""
    tags = {
        SUN_AZIMUTH_TAG: f"{scene.sun.azimuth_deg:.3f}",
        SUN_ZENITH_TAG: f"{scene.sun.zenith_deg:.3f}",
        TIME_TAG: _text(acquired),
    }
    # Simulated numbers are without the offset of baseline 04.00.
    band_tags = ({OFFSET_TAG: "0"},) * len(OPTICAL_BANDS)
    profile = CogProfile(
        "uint16",
        0,
        OPTICAL_BANDS,
        tags,
        band_tags,
        scales=(_RADIOMETRY.scale,) * len(OPTICAL_BANDS),
        offsets=(_RADIOMETRY.offset,) * len(OPTICAL_BANDS),
        interpretation=colour_interpretation(OPTICAL_BANDS),
    )
    return Product(_grid(scene.mask), profile, _RADIOMETRY.encode(reflectance))


def sar(scene: SimulatedScene, acquired: datetime) -> Product:
    """Sentinel-1, on a grid of its own."""
    outwards = -(SAR_MARGIN_PX + SAR_OFFSET_PX)
    corner = _grid(scene.mask).shifted(outwards, outwards)
    height, width = scene.sar.shape[1:]
    grid = Grid(corner.crs, corner.transform, height, width)
    tags = {TIME_TAG: _text(acquired)}
    profile = CogProfile("float32", float("nan"), SAR_BANDS, tags, units=("dB",) * len(SAR_BANDS))
    return Product(grid, profile, scene.sar)


def truth_mask(scene: SimulatedScene) -> Product:
    """True classes."""
    return Product(_grid(scene.mask), mask_profile(), scene.mask[None])


def changed_mask(changed: Where) -> Product:
    """1 where fields, (y, x), have changed, 0 elsewhere."""
    tags = {f"{CLASS_TAG}0": "unchanged", f"{CLASS_TAG}1": "changed"}
    profile = CogProfile("uint8", None, ("changed",), tags, overview_resampling="MODE")
    return Product(_grid(changed), profile, changed[None].astype(np.uint8))


def _grid(optical_plane: NDArray[Any]) -> Grid:
    height, width = optical_plane.shape
    transform = Affine(PIXEL_M, 0.0, _CORNER[0], 0.0, -PIXEL_M, _CORNER[1])
    return Grid(CRS.from_epsg(_EPSG).to_wkt(), transform, height, width)


def _text(acquired: datetime) -> str:
    """A time as Sentinel products have it."""
    return acquired.isoformat(timespec="milliseconds").replace("+00:00", "Z")
