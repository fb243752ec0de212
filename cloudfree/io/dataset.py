"""Open raster files that several threads may read."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

import numpy as np
import rasterio
import rasterio.windows
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import DatasetReader

from cloudfree.core.window import Window
from cloudfree.errors import InputError
from cloudfree.io.quiet import without_warning


class Dataset:
    """A raster file with one GDAL handle per thread: a handle must not be shared."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._handles: list[DatasetReader] = []
        _ = self.handle

    @property
    def handle(self) -> DatasetReader:
        """The calling thread's handle."""
        if not hasattr(self._local, "handle"):
            self._local.handle = _open(self.path)
            self._handles.append(self._local.handle)
        handle: DatasetReader = self._local.handle
        return handle

    def read(self, indexes: list[int], window: Window) -> NDArray[np.generic]:
        """Bands (counted from 0) of a window in the file's own numbers, (band, y, x)."""
        rectangle = rasterio.windows.Window(window.col, window.row, window.width, window.height)
        pixels: NDArray[np.generic] = self.handle.read([i + 1 for i in indexes], window=rectangle)
        return pixels

    def close(self) -> None:
        """Close the handles of all threads."""
        for handle in self._handles:
            handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(path: Path) -> DatasetReader:
    try:
        with without_warning(NotGeoreferencedWarning):
            return rasterio.open(path)
    except RasterioIOError as error:
        raise InputError(
            f"{path} cannot be opened ({error})",
            wanted="a raster that GDAL reads, such as a GeoTIFF",
            hint="check the path and the file",
        ) from error
