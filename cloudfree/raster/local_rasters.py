"""Opening only rasters on this computer, where another file names what is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from rasterio.io import DatasetReader

# Drivers of files that hold their pixels. A VRT or a service description names other files, which
# may lie on a network. Source: GDAL documentation, "Raster drivers".
DRIVERS = ("GTiff", "JP2OpenJPEG", "PNG", "JPEG", "ENVI")

# The text of a VRT that this program makes of files which it has opened before.
_OWN_TEXT = "<VRTDataset"
_IN_ARCHIVE = re.compile(r"/vsizip/\{(?P<archive>[^{}]+)\}/.+")

_only_local = ContextVar("only_local", default=False)


@contextmanager
def only_local_rasters() -> Iterator[None]:
    """In the block, this thread opens rasters on this computer alone, none that names others."""
    token = _only_local.set(True)
    try:
        yield
    finally:
        _only_local.reset(token)


def allowed_drivers(source: str) -> list[str] | None:
    """Drivers that may open a path, a virtual file or the text of a VRT; None for all of them.

    Within `only_local_rasters` none may open what lies on a network: the list is then empty.
    """
    if not _only_local.get():
        return None
    if source.startswith(_OWN_TEXT):
        return ["VRT"]
    return list(DRIVERS) if _is_local(source) else []


def names_overviews(dataset: DatasetReader) -> bool:
    """Whether a raster takes its overviews from another file, which may lie anywhere.

    Source: GDAL's `GDALDefaultOverviews`.
    """
    return "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS")


def _is_local(source: str) -> bool:
    """Whether a name is that of a file, or of one in a zip archive that is a file."""
    packed = _IN_ARCHIVE.fullmatch(source)
    return Path(packed["archive"] if packed else source).is_file()
