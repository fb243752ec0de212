"""Version, drivers and warnings of GDAL."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TypeAlias, cast

import rasterio
from rasterio.drivers import raster_driver_extensions
from rasterio.env import Env

from cloudfree.core.addresses import is_elsewhere

# Drivers for rasters, COGs, Sentinel-2 bands, band stacks and pictures.
NEEDED_DRIVERS = ("GTiff", "COG", "JP2OpenJPEG", "VRT", "PNG", "JPEG")

_Rule: TypeAlias = tuple[str, str | None, type[Warning], str | None, int]


def version() -> str:
    """Version of the GDAL that rasterio brings."""
    return str(rasterio.__gdal_version__)


def drivers() -> dict[str, bool]:
    """Whether each driver that the tool needs is available."""
    raster_driver_extensions()  # registers them
    with Env() as env:
        found = env.drivers()
    return {name: name in found for name in NEEDED_DRIVERS}


@cache
def mute_libtiff() -> None:
    """Keep libtiff from printing lines of its own on stderr, tens of them where a disk is full.

    GDAL raises what they are about. Only rasterio's wheels bring the library where it is found.
    Source: TIFFSetErrorHandler(3tiff).
    """
    package = Path(rasterio.__file__).parent
    for libraries in (package.with_name("rasterio.libs"), package / ".dylibs"):
        for library in libraries.glob("libtiff*"):
            with suppress(OSError, AttributeError):
                ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)


@contextmanager
def ignored_warning(category: type[Warning]) -> Iterator[None]:
    """Run a block without warnings of `category`.

    Blocks of several threads may overlap in any way. Where filters belong to the whole process,
    other threads see no such warning meanwhile either.
    """
    if getattr(sys.flags, "context_aware_warnings", False):
        # Python 3.14: filters may belong to the thread.
        with warnings.catch_warnings(action="ignore", category=category):
            yield
        return
    # `catch_warnings` restores the list that it found and so drops what other threads have changed
    # since. Inserting and removing one rule of our own is atomic and leaves theirs alone; equal
    # rules of several threads are counted by how often they are in the list.
    rules, rule = cast(list[_Rule], warnings.filters), ("ignore", None, category, None, 0)
    rules.insert(0, rule)
    try:
        yield
    finally:
        with suppress(ValueError):  # another thread has emptied the list
            rules.remove(rule)


@contextmanager
def collected_warnings(name: str) -> Iterator[list[str]]:
    """Collect the warnings of the logger `name` and its children in a block; log nothing."""
    texts: list[str] = []
    logger, collector = logging.getLogger(name), _Collector(texts)
    before = logger.handlers[:], logger.propagate, logger.level
    logger.handlers[:], logger.propagate = [collector], False
    logger.setLevel(logging.WARNING)
    try:
        yield texts
    finally:
        logger.handlers[:], logger.propagate = before[:2]
        logger.setLevel(before[2])


class _Collector(logging.Handler):
    """Collects the texts of log records."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(" ".join(record.getMessage().split()))


def relative_to(folder: Path, path: Path | None) -> PurePosixPath | None:
    """A path from a folder; an address and a name of GDAL's own stay as they are.

    From a folder elsewhere a path of this machine is absolute.
    """
    if path is None:
        return None
    if is_elsewhere(path):
        return PurePosixPath(path)
    if is_elsewhere(folder):
        return PurePosixPath(path.absolute().as_posix())
    return PurePosixPath(Path(os.path.relpath(path, folder)).as_posix())
