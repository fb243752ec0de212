"""Open raster files that several threads may read: whole, in windows, at reduced size."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import rasterio
import rasterio.windows
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import DatasetReader

from cloudfree.core.addresses import address_of, gdal_name_of
from cloudfree.core.grid import Grid, Window
from cloudfree.core.journal import settle
from cloudfree.core.mask_classes import Mask
from cloudfree.core.radiometry import Float32
from cloudfree.errors import DamagedError, ErrorCode, InputError
from cloudfree.raster.declared_size import check_declared_size
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.reach import (
    DRIVERS,
    Reach,
    VrtText,
    allowed_drivers,
    check_certain,
    current_reach,
    file_of_source,
    names_other_files,
    not_allowed,
    reaching,
)
from cloudfree.raster.remote import access_to, is_remote
from cloudfree.raster.vrt_file import check_vrt

# Size and number of evenly distributed sample windows; rasters up to 512 pixels are read whole.
WINDOW_PX = 128
WINDOWS_PER_SIDE = 4


def rectangle(window: Window) -> rasterio.windows.Window:
    """The same window as rasterio's type, columns first."""
    return rasterio.windows.Window(window.col, window.row, window.width, window.height)


class Dataset:
    """A raster file with one GDAL handle per thread, as handles are not thread-safe.

    `source` is what GDAL opens instead of the path, such as a virtual dataset. `part` is the window
    of the file that is read, as if it were all of it; None for the whole file. The reach is that of
    the thread that makes it.
    """

    def __init__(self, path: Path, source: str | None = None) -> None:
        self.path = path
        self.part: Window | None = None
        self._source = source or gdal_name_of(path)
        self._reach = current_reach()
        self._local = threading.local()
        self._handles: list[DatasetReader] = []
        _ = self.handle

    @property
    def handle(self) -> DatasetReader:
        """The calling thread's handle."""
        if not hasattr(self._local, "handle"):
            with reaching(self._reach):
                self._local.handle = open_raster(self._source, address_of(self.path))
            self._handles.append(self._local.handle)
        handle: DatasetReader = self._local.handle
        return handle

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of what is read."""
        height, width = self.handle.shape
        return (self.part.height, self.part.width) if self.part else (height, width)

    def in_file(self, window: Window | None) -> rasterio.windows.Window | None:
        """A window of what is read, None for all of it, in pixels of the file."""
        if self.part is None:
            return rectangle(window) if window else None
        return rectangle(window.within(self.part) if window else self.part)

    def read(
        self,
        indexes: list[int],
        window: Window | None = None,
        out_shape: tuple[int, int] | None = None,
        resampling: Resampling = Resampling.nearest,
        out: NDArray[np.generic] | None = None,
    ) -> NDArray[np.generic]:
        """Bands (counted from 0) in the file's own numbers, (band, y, x).

        `window` is the part to read, None for all of it; `out_shape` the rows and columns to which
        it is brought by `resampling`; `out` an array to read into instead of a new one.

        Raises
        ------
        DamagedError
            The file is damaged there.
        """
        bands = [index + 1 for index in indexes]
        try:
            with access_to(self._source):
                pixels: NDArray[np.generic] = self.handle.read(
                    bands,
                    window=self.in_file(window),
                    out_shape=(len(bands), *out_shape) if out_shape else None,
                    out=out,
                    resampling=resampling,
                )
        except RasterioIOError as error:
            raise DamagedError(
                f"{address_of(self.path)} cannot be read ({error.__cause__ or error})",
                wanted="a file that is whole",
                hint="copy or download it again",
                code=ErrorCode.IO if is_remote(self._source) else None,
            ) from error
        return pixels

    def thinned(
        self, indexes: list[int], longest_px: int, window: Window | None = None
    ) -> NDArray[np.generic]:
        """Every n-th pixel of bands (counted from 0) of a window, at most `longest_px` a side.

        A file without overviews is decoded wherever blocks hold one of these pixels.
        """
        sides = (window.height, window.width) if window else self.shape
        height, width = (min(side, longest_px) for side in sides)
        return self.read(indexes, window, out_shape=(height, width))

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Close the file if the block raises an error."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the handles of all threads."""
        for handle in self._handles:
            handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_raster(source: str, name: str) -> DatasetReader:
    """Open a path, a virtual file or the text of a VRT; `name` is used in messages.

    Raises
    ------
    InputError
        GDAL cannot open it, the name has letters that the locale cannot encode, or it lies, or
        names what lies, beyond the reach.
    """
    if not source.startswith(("<", "/vsi")):  # else no file of the disk
        settle(Path(source))
        _require_regular(Path(source), name)
    try:
        with ignored_warning(NotGeoreferencedWarning), access_to(source):
            dataset = _opened(source, name)
    except UnicodeEncodeError as error:
        raise InputError(
            f"name {name!a} has letters that this system's locale cannot encode",
            wanted="a locale of UTF-8, or a name of ASCII letters",
            hint="set PYTHONUTF8=1, or rename the file",
        ) from error
    except RasterioIOError as error:
        raise InputError(
            f"{name} cannot be opened ({error})",
            wanted="a raster that GDAL reads and that holds its own pixels, such as a GeoTIFF",
            hint="check the path and the file; other formats need --allow-remote",
            code=_opening_code(source, error),
        ) from error
    try:
        check_declared_size(dataset, name, file_of_source(source))
    except InputError:
        dataset.close()
        raise
    return dataset


def _require_regular(path: Path, name: str) -> None:
    """Refuse devices and pipes, which never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(
            f"{name} is a device or pipe",
            wanted="the file of a raster",
            hint="write it to a file first",
            code=ErrorCode.UNREADABLE,
        )


def _opened(source: str, name: str) -> DatasetReader:
    """Open a raster by the drivers that the reach allows."""
    drivers = allowed_drivers(source, current_reach())
    if drivers is None:
        return rasterio.open(source)
    if drivers == ["VRT"] and not isinstance(source, VrtText):
        check_vrt(Path(source), _check_source)
    return _open_as(source, name, drivers)


def _check_source(source: str) -> None:
    with open_raster(source, source) as dataset:
        check_certain(dataset, source)


# What GDAL says of a file that is there, and of which a driver knows nothing.
_UNKNOWN = "not recognized as being"


def _open_as(source: str, name: str, drivers: Sequence[str]) -> DatasetReader:
    """Open a raster by the first of these drivers that knows it, unless it names other files.

    Overviews and masks in files beside it, which GDAL opens by any driver, have to be GeoTIFFs.
    """
    unknown: RasterioIOError | None = None
    for driver in drivers:
        try:
            dataset = rasterio.open(source, driver=driver)
        except RasterioIOError as error:
            if _UNKNOWN not in str(error):
                raise
            unknown = error
            continue
        if not names_other_files(dataset) and _side_files_are_rasters(source):
            return dataset
        dataset.close()
        unknown = None
        break
    if current_reach() is Reach.COMPUTER:
        raise _not_on_computer(name)
    raise unknown or not_allowed(f"{name} takes overviews, its mask or positions from another file")


# Files beside a raster that GDAL opens as rasters, the last one beside a mask.
_RASTERS_BESIDE = (".ovr", ".msk", ".msk.ovr")


def _side_files_are_rasters(source: str) -> bool:
    if isinstance(source, VrtText) or is_remote(source):  # none are looked for
        return True
    return all(map(_is_tiff_or_missing, (source + end for end in _RASTERS_BESIDE)))


def _is_tiff_or_missing(source: str) -> bool:
    if not source.startswith("/vsi") and not Path(source).exists():
        return True
    try:
        rasterio.open(source, driver="GTiff").close()
    except RasterioIOError as error:
        return _UNKNOWN not in str(error)  # it is missing, or a damaged GeoTIFF
    return True


def _not_on_computer(name: str) -> InputError:
    return InputError(
        f"{name} is no raster on this computer that holds its own pixels",
        wanted=f"a file that one of these drivers reads: {', '.join(DRIVERS)}",
        hint="copy it to this computer as a GeoTIFF",
        code=ErrorCode.UNREADABLE,
    )


def files_of_raster(path: Path) -> list[Path]:
    """The files that GDAL reads a raster from: side files and sources too; none if it cannot."""
    try:
        with open_raster(str(path), str(path)) as dataset:
            return [Path(file) for file in dataset.files]
    except InputError:
        return []


def _opening_code(source: str, error: Exception) -> ErrorCode:
    if is_remote(source):
        return ErrorCode.IO
    missing = "No such file or directory" in str(error)
    return ErrorCode.MISSING_FILE if missing else ErrorCode.UNREADABLE


def sample_windows(dataset: Dataset, bands: Sequence[int]) -> NDArray[np.generic]:
    """Sample of some bands, counted from 0, in evenly distributed windows: (band, pixel)."""
    windows = even_windows(*dataset.shape)
    parts = [dataset.read(list(bands), window).reshape(len(bands), -1) for window in windows]
    return np.concatenate(parts, axis=1)


def even_windows(height: int, width: int) -> list[Window]:
    """The whole raster if it is small, else evenly distributed windows."""
    if max(height, width) <= WINDOW_PX * WINDOWS_PER_SIDE:
        return [Window(0, 0, height, width)]
    rows, cols = _starts(height), _starts(width)
    return [
        Window(row, col, min(WINDOW_PX, height), min(WINDOW_PX, width))
        for row in rows
        for col in cols
    ]


def spread_windows(part: Window, a_side: int, side_px: int) -> list[Window]:
    """A window of at most `side_px` in the middle of each of `a_side` squared cells of a part.

    A share found in them is that of the part, unlike in windows from end to end, which would lie
    at its edges too often. Together they are the whole of a part that is small.
    """
    return [
        Window(part.row + row, part.col + col, height, width)
        for row, height in _middles(part.height, a_side, side_px)
        for col, width in _middles(part.width, a_side, side_px)
    ]


def _middles(length: int, cells: int, side_px: int) -> list[tuple[int, int]]:
    """Start and length of the middle of each cell of a side; none of a cell without a pixel."""
    edges = [length * cell // cells for cell in range(cells + 1)]
    sides = [(start, end - start) for start, end in pairwise(edges) if end > start]
    return [(start + max(side - side_px, 0) // 2, min(side, side_px)) for start, side in sides]


def _starts(length: int) -> list[int]:
    last = max(length - WINDOW_PX, 0)
    return sorted({round(last * (i + 0.5) / WINDOWS_PER_SIDE) for i in range(WINDOWS_PER_SIDE)})


def reduced(grid: Grid, longest_px: int) -> Grid:
    """The same ground in larger, never smaller, pixels: no side exceeds `longest_px`."""
    factor = max(grid.height, grid.width, longest_px) / longest_px
    height, width = (max(round(side / factor), 1) for side in (grid.height, grid.width))
    scale = grid.transform.scale(grid.width / width, grid.height / height)
    return Grid(grid.crs, grid.transform @ scale, height, width)


def reduced_average(
    dataset: Dataset, indexes: list[int], grid: Grid, window: Window | None = None
) -> NDArray[np.generic]:
    """Bands of all or a window, averaged to the size of `grid`, (band, y, x), in file numbers."""
    return _read(dataset, indexes, grid, Resampling.average, window)


def reduced_classes(mask: Dataset, grid: Grid, window: Window | None = None) -> Mask:
    """The most frequent class, (y, x), of a mask or a window of it, at the size of `grid`."""
    size = (grid.height, grid.width)
    classes = mask.read([0], window, out_shape=size, resampling=Resampling.mode)[0]
    return np.asarray(classes, dtype=np.uint8)


def reduced_mean(dataset: Dataset, grid: Grid, window: Window | None = None) -> Float32:
    """Mean of all bands of all or a window, by their scales, at the size of `grid`; NaN if none."""
    handle = dataset.handle
    numbers = _read(dataset, list(range(handle.count)), grid, Resampling.average, window)
    missing = (numbers == handle.nodata).any(axis=0)
    mean = (numbers * np.reshape(handle.scales, (-1, 1, 1))).mean(axis=0)
    return np.where(missing, np.nan, mean).astype(np.float32)


def _read(
    dataset: Dataset,
    indexes: list[int],
    grid: Grid,
    resampling: Resampling,
    window: Window | None = None,
) -> NDArray[np.generic]:
    return dataset.read(indexes, window, (grid.height, grid.width), resampling)
