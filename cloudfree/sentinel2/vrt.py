"""Bands of several files as one raster on their finest grid: the text of a GDAL VRT."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from affine import Affine
from pyproj import CRS

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import Resampling
from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import default_nodata
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.reach import VrtText, source_name
from cloudfree.raster.warp import grid_of
from cloudfree.sentinel2.gdal_tags import RESAMPLING_TAG, tags_of
from cloudfree.sentinel2.product import BandFile, OpticalProduct

logger = logging.getLogger("cloudfree")


# Corners and sizes that agree to this part of a pixel are the same.
EXACT_PX = 1e-3

_GDAL_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
    "int32": "Int32", "float32": "Float32", "float64": "Float64",
}  # fmt: skip


@dataclass(frozen=True)
class _Band:
    """Header of a band's file; `scaling` is GDAL's scale and offset, `source` its name in a VRT."""

    file: BandFile
    source: str
    grid: Grid
    dtype: str
    nodata: float | None
    block: tuple[int, int]
    scaling: tuple[float, float]


def stack_bands(product: OpticalProduct, resampling: Resampling) -> VrtText:
    """The VRT of a product whose bands are files of their own.

    Only headers are read. A band whose file cannot be opened is left out with a warning.

    Raises
    ------
    InputError
        No band can be opened, types differ, or grids do not nest.
    """
    bands = _open_bands(product)
    grid = min((band.grid for band in bands), key=lambda grid: abs(grid.transform.determinant))
    for band in bands:
        _check_nesting(band, grid, bands[0].dtype, product.name)
    nodata = _nodata(product, bands)
    root = Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    if grid.crs:
        SubElement(root, "SRS").text = grid.crs
    SubElement(root, "GeoTransform").text = ", ".join(map(repr, grid.transform.to_gdal()))
    _metadata(root, {**tags_of(product), RESAMPLING_TAG: resampling})
    for index, band in enumerate(bands, start=1):
        _append_band(root, index, band, grid, nodata, resampling)
    return VrtText(tostring(root, encoding="unicode"))


def _open_bands(product: OpticalProduct) -> list[_Band]:
    bands, failures = [], []
    for file in sorted(product.bands, key=lambda file: OPTICAL_BANDS.index(file.band)):
        try:
            bands.append(_header(file))
        except InputError as error:
            failures.append(error)
            logger.warning("band %s is left out: %s", file.band, error.found)
    if not bands:
        raise failures[0]
    return bands


def _header(file: BandFile) -> _Band:
    with open_raster(file.path, file.path) as dataset:
        return _Band(
            file=file,
            source=source_name(dataset, file.path),
            grid=grid_of(dataset),
            dtype=dataset.dtypes[file.index - 1],
            nodata=dataset.nodatavals[file.index - 1],
            block=dataset.block_shapes[file.index - 1],
            scaling=(dataset.scales[file.index - 1], dataset.offsets[file.index - 1]),
        )


def _check_nesting(band: _Band, grid: Grid, dtype: str, name: str) -> None:
    if band.dtype != dtype:
        raise InputError(
            f"{band.dtype} in band {band.file.band} of {name}, {dtype} in the first",
            wanted="bands of one type",
            hint="convert the bands to one type, for example with `rio convert`",
        )
    if not _nests(band.grid, grid):
        found, finest = band.grid, grid
        raise InputError(
            f"band {band.file.band} of {name} ({found.height} x {found.width} pixels of "
            f"{abs(found.transform.a):g} from {found.transform.c:g}, {found.transform.f:g}) does "
            f"not nest in the finest ({finest.height} x {finest.width} of "
            f"{abs(finest.transform.a):g} from {finest.transform.c:g}, {finest.transform.f:g})",
            wanted="bands with one upper-left corner whose pixels hold whole numbers of the finest",
            hint="cut the bands to the same bounds, or stack them into one raster with gdalwarp",
            code=ErrorCode.WRONG_GRID,
        )


def _nests(coarse: Grid, fine: Grid) -> bool:
    """Whether each pixel of `coarse` covers exactly k x k pixels of `fine`."""
    if coarse.crs and fine.crs and CRS.from_wkt(coarse.crs) != CRS.from_wkt(fine.crs):
        return False
    factor = fine.width // coarse.width
    if (coarse.height * factor, coarse.width * factor) != (fine.height, fine.width):
        return False
    expected = fine.transform @ Affine.scale(factor)
    corners = [(0, 0), (coarse.width, 0), (0, coarse.height)]
    apart = [np.subtract(~expected @ (coarse.transform @ corner), corner) for corner in corners]
    return bool(np.abs(apart).max() < EXACT_PX)


def _nodata(product: OpticalProduct, bands: Sequence[_Band]) -> float:
    """Nodata by the metadata, the files, or the default of the type."""
    declared = [product.nodata, *(band.nodata for band in bands)]
    return next((value for value in declared if value is not None), default_nodata(bands[0].dtype))


def _metadata(parent: Element, tags: Mapping[str, str]) -> None:
    metadata = SubElement(parent, "Metadata")
    for key, value in tags.items():
        SubElement(metadata, "MDI", key=key).text = value


def _append_band(
    root: Element, index: int, band: _Band, grid: Grid, nodata: float, resampling: Resampling
) -> None:
    """One band of the stack.

    Its source is a VRT of its own that declares nodata: GDAL excludes such pixels from a kernel
    only if the source declares them, which JP2 files cannot (seen in GDAL 3.10).
    """
    inner = Element(
        "VRTDataset", rasterXSize=str(band.grid.width), rasterYSize=str(band.grid.height)
    )
    _append_source(inner, 1, band, band.source, band.file.index, band.grid, nodata)
    outer = _append_source(root, index, band, tostring(inner, encoding="unicode"), 1, grid, nodata)
    SubElement(outer, "Description").text = band.file.band
    for name, number in zip(("Scale", "Offset"), band.scaling, strict=True):
        SubElement(outer, name).text = repr(number)
    source = outer.find("SimpleSource")
    assert source is not None
    source.set("resampling", resampling)


def _append_source(
    root: Element, index: int, band: _Band, file: str, file_index: int, target: Grid, nodata: float
) -> Element:
    """A band of a VRT that shows all of a file on all of a grid; the file is opened when read."""
    dtype = _GDAL_TYPES[band.dtype]
    element = SubElement(root, "VRTRasterBand", dataType=dtype, band=str(index))
    SubElement(element, "NoDataValue").text = repr(nodata)
    source = SubElement(element, "SimpleSource")
    SubElement(source, "SourceFilename", relativeToVRT="0").text = file
    SubElement(source, "SourceBand").text = str(file_index)
    size = {"RasterXSize": str(band.grid.width), "RasterYSize": str(band.grid.height)}
    block = {"BlockXSize": str(band.block[1]), "BlockYSize": str(band.block[0])}
    SubElement(source, "SourceProperties", {**size, "DataType": dtype, **block})
    for name, grid in (("SrcRect", band.grid), ("DstRect", target)):
        rectangle = {"xOff": "0", "yOff": "0", "xSize": str(grid.width), "ySize": str(grid.height)}
        SubElement(source, name, rectangle)
    return element
