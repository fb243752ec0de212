"""The files that together are one geocoded Sentinel-1 scene."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.bands import POLARISATION, SAR_BANDS, polarisation
from cloudfree.errors import InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.stac_item import read_item
from cloudfree.sentinel1.acquisition_tags import acquisition_of_tags
from cloudfree.sentinel1.polarisation_stack import stack
from cloudfree.sentinel1.product_name import acquisition_of_name
from cloudfree.sentinel1.rtc_item import acquisition_of_item, files_of_item, is_gamma_nought

_RASTERS = {".tif", ".tiff"}
_ITEMS = {".json", ".geojson"}


@dataclass(frozen=True)
class SarFiles:
    """What GDAL opens for a scene, and what its files tell beside their numbers.

    `gamma_nought` tells whether the backscatter is known to be flattened by the terrain.
    """

    source: str
    acquisition: Acquisition
    gamma_nought: bool = False


def find_sar_files(path: Path) -> SarFiles:
    """The files of a scene: a raster, a folder, one of two polarisations, or a STAC item.

    Raises
    ------
    InputError
        A polarisation is missing, there are several of one, or they do not match.
    """
    if path.suffix.lower() in _ITEMS:
        item = read_item(path)
        files = files_of_item(item, path.name)
        source = stack([files[band] for band in SAR_BANDS], SAR_BANDS)
        return SarFiles(source, acquisition_of_item(item), is_gamma_nought(item))
    pair = _pair_in(path) if path.is_dir() else _pair_with(path)
    if pair is None:
        return SarFiles(str(path), _acquisition(path))
    rasters = [pair[band].absolute().as_posix() for band in SAR_BANDS]
    return SarFiles(stack(rasters, SAR_BANDS), _acquisition(pair[SAR_BANDS[0]]))


def _pair_in(folder: Path) -> dict[str, Path]:
    """The raster of each polarisation in a folder."""
    rasters = sorted(path for path in folder.iterdir() if path.suffix.lower() in _RASTERS)
    by_band = {
        band: [path for path in rasters if polarisation(path.stem) == band] for band in SAR_BANDS
    }
    if all(len(files) == 1 for files in by_band.values()):
        return {band: files[0] for band, files in by_band.items()}
    counts = " and ".join(f"{len(files)} of {band}" for band, files in by_band.items())
    raise InputError(
        f"{counts} among the {len(rasters)} GeoTIFFs in {folder.name}",
        wanted="a folder with one file *_VV.tif and one *_VH.tif, or a Sentinel-1 GRD product",
        hint="give the folder of one scene, or name one of the two files",
    )


def _pair_with(path: Path) -> dict[str, Path] | None:
    """A one-band file and the one beside it that differs by the polarisation in its name."""
    band = polarisation(path.stem)
    if not _has_one_band(path) or band not in SAR_BANDS:
        return None
    other = next(name for name in SAR_BANDS if name != band)
    sibling = path.with_name(_renamed(path.name, other))
    if not sibling.is_file():
        raise InputError(
            f"{path.name} has {band} alone, and there is no {sibling.name} beside it",
            wanted="VV and VH, in one file or in two that differ by that in their names",
            hint=f"put the file of {other} beside it",
        )
    return {band: path, other: sibling}


def _renamed(name: str, band: str) -> str:
    """The name with another polarisation, small or capital letters as before."""

    def other(match: re.Match[str]) -> str:
        return band.lower() if match[0].islower() else band

    return POLARISATION.sub(other, name)


def _has_one_band(path: Path) -> bool:
    """Whether a raster has one band; an image in ground range is refused.

    Raises
    ------
    InputError
        It is the measurement of a GRD product, without the rest of the product.
    """
    with open_raster(str(path), str(path)) as dataset:
        if dataset.gcps[0] and dataset.crs is None:
            raise InputError(
                f"{path.name} is a GRD measurement in ground range, without its annotation",
                wanted="the whole product: its tables calibrate the digital numbers",
                hint="give the SAFE folder or zip, or what SNAP or pyroSAR made of it",
            )
        return bool(dataset.count == 1)


def _tags(path: Path) -> Mapping[str, str]:
    with open_raster(str(path), str(path)) as dataset:
        tags: dict[str, str] = dataset.tags()
        return tags


def _acquisition(path: Path) -> Acquisition:
    """What the tags of a raster tell, or a product name in its name, its folders' or a tag."""
    tags = _tags(path)
    names: Iterable[str] = [path.name, *(folder.name for folder in path.absolute().parents)]
    named = (acquisition_of_name(text) for text in [*names, *tags.values()])
    found = acquisition_of_tags(tags) or next(filter(None, named), None)
    return found or UNKNOWN
