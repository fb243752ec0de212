"""Small parts of real imagery, so that a walk takes seconds."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.raster.gdal import ignored_warning


def write_crop(source: Path, path: Path, side: int) -> Path:
    """Write the upper left square of a raster, `side` pixels wide, with its names and tags.

    A file of that name is replaced, be it a broken one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with ignored_warning(NotGeoreferencedWarning), rasterio.open(source) as whole:
        profile = {
            key: whole.profile[key] for key in ("dtype", "count", "crs", "transform", "nodata")
        }
        pixels = whole.read()[:, :side, :side]
        with rasterio.open(path, "w", driver="GTiff", height=side, width=side, **profile) as crop:
            crop.write(pixels)
            crop.descriptions = whole.descriptions
            crop.update_tags(**whole.tags())
    return path


def write_triplet_crop(data: Path, name: str, folder: Path, side: int) -> None:
    """Write the crops of a triplet of SEN12MS-CR under their names."""
    for kind in ("s1", "s2_cloudy", "s2_clear"):
        file = f"{name}_{kind}.tif"
        write_crop(data / "triplets" / file, folder / file, side)
