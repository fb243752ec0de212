"""What the GDAL of this installation can do, and its warnings that we word better."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias, cast

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


_Rule: TypeAlias = tuple[str, str | None, type[Warning], str | None, int]


@contextmanager
def ignored_warning(category: type[Warning]) -> Iterator[None]:
    """Run a block without warnings of `category`.

    Blocks of several threads may overlap in any way. Where filters belong to the whole process,
    other threads hear no such warning meanwhile either.
    """
    if getattr(sys.flags, "context_aware_warnings", False):
        # Python 3.14: filters may belong to the thread.
        with warnings.catch_warnings(action="ignore", category=category):
            yield
        return
    # `catch_warnings` puts back the list that it found, with what other threads have added or taken
    # away since. One rule of our own in the list, put in and taken out by one step each, leaves
    # theirs alone; equal rules of several threads count how many of them there are.
    rules, rule = cast(list[_Rule], warnings.filters), ("ignore", None, category, None, 0)
    rules.insert(0, rule)
    try:
        yield
    finally:
        with suppress(ValueError):  # somebody has emptied the list
            rules.remove(rule)


@contextmanager
def collected_warnings(name: str) -> Iterator[list[str]]:
    """Collect what the logger `name` and those below it warn of in a block, and let none out."""
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
    """Keeps the texts of what is logged."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(" ".join(record.getMessage().split()))
