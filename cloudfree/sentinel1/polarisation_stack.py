"""Several one-band files seen as one."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from rasterio.dtypes import dtype_rev, typename_fwd
from rasterio.io import DatasetReader

from cloudfree.core.grid import Grid
from cloudfree.errors import InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.georeference import grid_of, same_grid


def stack(files: Sequence[str], names: Sequence[str]) -> str:
    """The first bands of files, one above the other and with names, as a GDAL virtual dataset.

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
                )
            grid = grid or here
            bands.append(_band(dataset, file, number, name))
    assert grid is not None
    return _dataset(grid, bands)


def _dataset(grid: Grid, bands: Sequence[str]) -> str:
    """The virtual dataset; a file that has no place on the ground leaves it without one."""
    place = ""
    if grid.crs:
        numbers = ", ".join(f"{number:.17g}" for number in grid.transform.to_gdal())
        place = f"<SRS>{escape(grid.crs)}</SRS><GeoTransform>{numbers}</GeoTransform>"
    size = f'rasterXSize="{grid.width}" rasterYSize="{grid.height}"'
    return f"<VRTDataset {size}>{place}{''.join(bands)}</VRTDataset>"


def _band(dataset: DatasetReader, file: str, number: int, name: str) -> str:
    kind = typename_fwd[dtype_rev[dataset.dtypes[0]]]
    nodata = "" if dataset.nodata is None else f"<NoDataValue>{dataset.nodata!r}</NoDataValue>"
    scaling = f"<Offset>{dataset.offsets[0]!r}</Offset><Scale>{dataset.scales[0]!r}</Scale>"
    return (
        f'<VRTRasterBand dataType={quoteattr(kind)} band="{number}">'
        f"<Description>{escape(name)}</Description>{nodata}{scaling}"
        f'<SimpleSource><SourceFilename relativeToVRT="0">{escape(file)}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
    )


def _last(file: str) -> str:
    return file.rsplit("/", 1)[-1]
