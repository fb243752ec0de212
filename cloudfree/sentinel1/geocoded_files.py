"""The files that together are one geocoded Sentinel-1 scene, STAC items included.

Source: STAC 1.0 with the extensions sat and sar, as the collection sentinel-1-rtc uses them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pystac import Item
from rasterio.dtypes import dtype_rev, typename_fwd
from rasterio.io import DatasetReader

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.addresses import address_of, gdal_name_of, is_elsewhere, is_item
from cloudfree.core.bands import POLARISATION, SAR_BANDS, polarisation
from cloudfree.core.grid import Grid
from cloudfree.core.iso_time import utc_time
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.reach import VrtText, source_name
from cloudfree.raster.stac_files import gdal_name, read_item
from cloudfree.raster.warp import grid_of, same_grid
from cloudfree.sentinel1.product import (
    acquisition_of_name,
    acquisition_of_tags,
    product_around,
)

logger = logging.getLogger("cloudfree")

_RASTERS = {".tif", ".tiff"}


@dataclass(frozen=True)
class SarFiles:
    """The name under which GDAL opens a scene, and its metadata.

    `gamma_nought` is True if the backscatter is known to be terrain-flattened.
    """

    source: str
    acquisition: Acquisition
    gamma_nought: bool = False


def find_sar_files(path: Path) -> SarFiles:
    """The files of a scene: a raster, a folder, one of its polarisations, or a STAC item.

    Raises
    ------
    InputError
        There is no polarisation, there are several of one, or they do not match.
    """
    if is_item(path):
        item = read_item(path, "sentinel-1")
        files = files_of_item(item, path)
        source = stack(list(files.values()), list(files))
        return SarFiles(source, acquisition_of_item(item), is_gamma_nought(item))
    found = _files_in(path) if path.is_dir() else _files_with(path)
    if found is None:
        return SarFiles(gdal_name_of(path), _acquisition(path))
    rasters = [_gdal_name(file) for file in found.values()]
    return SarFiles(stack(rasters, list(found)), _acquisition(next(iter(found.values()))))


def _gdal_name(file: Path) -> str:
    """The name of a file for a virtual dataset, which has no folder."""
    return gdal_name_of(file) if is_elsewhere(file) else file.absolute().as_posix()


def files_of_item(item: Item, path: Path) -> dict[str, str]:
    """The name under which GDAL opens each polarisation, VV first.

    Raises
    ------
    InputError
        The item has an asset of its own neither for VV nor for VH.
    """
    found = {band: asset for key, asset in item.assets.items() if (band := polarisation(key))}
    if not found:
        there = ", ".join(item.assets) or "it has none"
        raise InputError(
            f"no asset vv and no asset vh in {path.name} ({there})",
            wanted="a terrain-corrected Sentinel-1 scene with the assets vv and vh",
            hint="give an item of such a collection, as sentinel-1-rtc",
            code=ErrorCode.MISSING_BAND,
        )
    return {band: gdal_name(found[band], path) for band in SAR_BANDS if band in found}


def acquisition_of_item(item: Item) -> Acquisition:
    """Acquisition metadata of an item."""
    properties: dict[str, Any] = item.properties
    named = acquisition_of_name(item.id) or Acquisition()
    platform = str(properties.get("platform") or named.platform or "")
    return Acquisition(
        product=item.id,
        platform=platform.title() or None,
        acquired=utc_time(properties.get("start_datetime")) or item.datetime or named.acquired,
        orbit_direction=properties.get("sat:orbit_state"),
        relative_orbit=properties.get("sat:relative_orbit", named.relative_orbit),
    )


def is_gamma_nought(item: Item) -> bool:
    """Whether the item is of a collection of terrain-flattened backscatter."""
    return "rtc" in str(item.collection_id or "").lower() or item.id.lower().endswith("rtc")


def stack(files: Sequence[str], names: Sequence[str]) -> VrtText:
    """Stack the first bands of files, with names, into a GDAL virtual dataset.

    The text opens like a path; numbers, type, nodata, scale and offset are those of the files.

    Raises
    ------
    InputError
        A file cannot be opened, or the files do not lie on one grid.
    """
    grid: Grid | None = None
    bands = []
    for number, (file, name) in enumerate(zip(files, names, strict=True), start=1):
        with open_raster(file, file) as dataset:
            here = grid_of(dataset)
            if grid is not None and not same_grid(grid, here):
                raise InputError(
                    f"{_last(file)} ({here.height} x {here.width} pixels) does not lie on the "
                    f"grid of {_last(files[0])} ({grid.height} x {grid.width})",
                    wanted="polarisations that match pixel by pixel",
                    hint="warp one onto the other, for example with `rio warp --like`",
                    code=ErrorCode.WRONG_GRID,
                )
            grid = grid or here
            bands.append(_band(dataset, file, number, name))
    assert grid is not None
    return _dataset(grid, bands)


def _files_in(folder: Path) -> dict[str, Path]:
    """The raster of each polarisation in a folder, VV first."""
    rasters = sorted(path for path in folder.iterdir() if path.suffix.lower() in _RASTERS)
    by_band = {
        band: [path for path in rasters if polarisation(path.stem) == band] for band in SAR_BANDS
    }
    if {len(files) for files in by_band.values()} in ({1}, {0, 1}):
        found = {band: files[0] for band, files in by_band.items() if files}
        first = next(iter(found.values()))
        with open_raster(str(first), str(first)) as dataset:
            _require_geocoded(dataset, first)
        return found
    counts = " and ".join(f"{len(files)} of {band}" for band, files in by_band.items())
    raise InputError(
        f"{counts} among the {len(rasters)} GeoTIFFs in {folder.name}",
        wanted="a folder with one file *_VV.tif, *_VH.tif or both, or a Sentinel-1 GRD product",
        hint="give the folder of one scene, or name one of the two files",
        code=ErrorCode.MISSING_BAND,
    )


def _files_with(path: Path) -> dict[str, Path] | None:
    """A one-band file and that of the other polarisation in its folder, if there is one."""
    band, sibling = polarisation(path.stem), other_polarisation(path)
    if not _has_one_band(path) or band is None or sibling is None:
        return None
    if not sibling.is_file():
        logger.info("%s has %s alone: there is no %s next to it", path.name, band, sibling.name)
        return {band: path}
    there = {polarisation(one.stem): one for one in (path, sibling)}
    return {name: there[name] for name in SAR_BANDS}


def other_polarisation(path: Path) -> Path | None:
    """The name beside a file of VV or VH that the other of both has; None for other files."""
    band = polarisation(path.stem)
    if band not in SAR_BANDS:
        return None
    other = next(name for name in SAR_BANDS if name != band)
    return path.with_name(_renamed(path.name, other))


def _renamed(name: str, band: str) -> str:
    """The name with another polarisation, in the same case."""

    def other(match: re.Match[str]) -> str:
        return band.lower() if match[0].islower() else band

    return POLARISATION.sub(other, name)


def _has_one_band(path: Path) -> bool:
    """Whether a raster has one band; an image in ground range is refused."""
    with open_raster(gdal_name_of(path), address_of(path)) as dataset:
        _require_geocoded(dataset, path)
        return bool(dataset.count == 1)


def _require_geocoded(dataset: DatasetReader, path: Path) -> None:
    """Refuse the measurement of a GRD product, which is nothing without the rest of it."""
    if not dataset.gcps[0] or dataset.crs is not None:
        return
    around = product_around(path)
    raise InputError(
        f"{path.name} is a GRD measurement in ground range, without its annotation",
        wanted="the whole product: its tables calibrate the digital numbers",
        hint=f"give {around}, in which it lies"
        if around
        else "give the SAFE folder or zip, or the output of SNAP or pyroSAR",
        code=ErrorCode.MISSING_FILE,
    )


def _acquisition(path: Path) -> Acquisition:
    """Acquisition from the tags of a raster, or from a product name in its path or tags."""
    tags = _tags(path)
    names: Iterable[str] = [path.name, *(folder.name for folder in path.absolute().parents)]
    named = (acquisition_of_name(text) for text in [*names, *tags.values()])
    found = acquisition_of_tags(tags) or next(filter(None, named), None)
    return found or UNKNOWN


def _tags(path: Path) -> Mapping[str, str]:
    with open_raster(gdal_name_of(path), address_of(path)) as dataset:
        tags: dict[str, str] = dataset.tags()
        return tags


def _dataset(grid: Grid, bands: Sequence[str]) -> VrtText:
    """The virtual dataset; without georeference if the files have none."""
    georeference = ""
    if grid.crs:
        numbers = ", ".join(f"{number:.17g}" for number in grid.transform.to_gdal())
        georeference = f"<SRS>{escape(grid.crs)}</SRS><GeoTransform>{numbers}</GeoTransform>"
    size = f'rasterXSize="{grid.width}" rasterYSize="{grid.height}"'
    return VrtText(f"<VRTDataset {size}>{georeference}{''.join(bands)}</VRTDataset>")


def _band(dataset: DatasetReader, file: str, number: int, name: str) -> str:
    kind = typename_fwd[dtype_rev[dataset.dtypes[0]]]
    nodata = "" if dataset.nodata is None else f"<NoDataValue>{dataset.nodata!r}</NoDataValue>"
    scaling = f"<Offset>{dataset.offsets[0]!r}</Offset><Scale>{dataset.scales[0]!r}</Scale>"
    return (
        f'<VRTRasterBand dataType={quoteattr(kind)} band="{number}">'
        f"<Description>{escape(name)}</Description>{nodata}{scaling}"
        f'<SimpleSource><SourceFilename relativeToVRT="0">{escape(source_name(dataset, file))}'
        "</SourceFilename>"
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
    )


def _last(file: str) -> str:
    return file.rsplit("/", 1)[-1]
