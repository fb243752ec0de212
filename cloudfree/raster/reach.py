"""How far the names that stand in inputs may lead: which rasters are opened, and by which drivers.

What a user names is opened wherever it lies. A name in a file that may come from anywhere, such as
the source of a VRT or a link of a STAC item, is another matter: it may lead to a network, or to
files that the input has no business with.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from pathlib import Path

from rasterio.io import DatasetReader

from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.remote import is_remote

# Drivers of files that hold their pixels. A VRT or a service description names other files, and so
# may HDF5. Source: GDAL documentation, "Raster drivers".
DRIVERS = ("GTiff", "JP2OpenJPEG", "PNG", "JPEG", "ENVI")

_VRT = ".vrt"
_IN_ARCHIVE = re.compile(r"/vsizip/\{(?P<archive>[^{}]+)\}/.+")


class Reach(Enum):
    """What may be opened."""

    COMPUTER = "rasters on this computer that hold their own pixels"
    FOLDER = "what the user names; names in it lead no further than its folder"
    ANYWHERE = "what any name leads to, by any driver of GDAL"


_reach = ContextVar("reach", default=Reach.FOLDER)


class VrtText(str):
    """The text of a VRT that this program makes of rasters which it has opened before."""


def current_reach() -> Reach:
    """The reach of this thread."""
    return _reach.get()


@contextmanager
def reaching(reach: Reach) -> Iterator[None]:
    """In the block this thread, and rasters that it opens here, have this reach."""
    token = _reach.set(reach)
    try:
        yield
    finally:
        _reach.reset(token)


@contextmanager
def remote_allowed(allowed: bool) -> Iterator[None]:
    """In the block names in inputs may lead anywhere, if that is allowed."""
    with reaching(Reach.ANYWHERE if allowed else current_reach()):
        yield


@contextmanager
def only_local_rasters() -> Iterator[None]:
    """In the block, this thread opens rasters on this computer alone, none that names others."""
    with reaching(Reach.COMPUTER):
        yield


def allowed_drivers(source: str, reach: Reach) -> list[str] | None:
    """Drivers that may open a path, a virtual file or the text of a VRT; None for all of them.

    For `Reach.COMPUTER` none may open what lies on a network: the list is then empty.
    """
    if reach is Reach.ANYWHERE:
        return None
    if isinstance(source, VrtText):
        return ["VRT"]
    if reach is Reach.COMPUTER and not _is_on_computer(source):
        return []
    if reach is Reach.FOLDER and is_vrt_file(source):
        return ["VRT"]
    return list(DRIVERS)


def is_vrt_file(source: str) -> bool:
    """Whether a name is that of a VRT on this computer."""
    return not source.startswith(("<", "/vsi")) and source.lower().endswith(_VRT)


def names_other_files(dataset: DatasetReader) -> bool:
    """Whether the tags of a raster name a file, which may lie anywhere: of overviews or positions.

    Source: GDAL's `GDALDefaultOverviews` and `GDALCreateGeoLocTransformer`.
    """
    positions = dataset.tags(ns="GEOLOCATION")
    return "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS") or "X_DATASET" in positions


# A GeoTIFF has a zero among its first four bytes, before which no format of text, such as VRT, can
# be recognised, and GDAL asks its driver before those of other binary formats.
_CERTAIN = ("GTiff", "VRT")


def source_name(dataset: DatasetReader, file: str) -> str:
    """The name of an open raster as the source of a VRT, by which GDAL opens it again.

    GDAL takes a source for the first format that it may be, and a file may be two: an ENVI raster
    is any bytes, such as those of a VRT. So the name has the driver that opened the raster. Source:
    GDAL documentation, "VRT -- GDAL Virtual Format", vrt:// connection string.

    Raises
    ------
    InputError
        The name cannot have a driver.
    """
    if current_reach() is Reach.ANYWHERE or dataset.driver in _CERTAIN:
        return file
    if "?" in file:
        raise not_allowed(f"{file}, of the format {dataset.driver}, has a question mark")
    return f"vrt://{file}?if={dataset.driver}"


def check_certain(dataset: DatasetReader, file: str) -> None:
    """Check that GDAL takes the source of a VRT for what it was opened as here.

    Raises
    ------
    InputError
        It begins with any bytes, and may be of another format as well.
    """
    if dataset.driver not in (*_CERTAIN, "JP2OpenJPEG", "PNG"):
        raise not_allowed(f"{file}, of the format {dataset.driver}, is the source of a VRT")


def not_allowed(found: str) -> InputError:
    """The error for what needs another reach."""
    return InputError(
        found,
        wanted="inputs whose files lie in their own folder",
        hint="copy the files there, or add --allow-remote where you trust the input",
        code=ErrorCode.NOT_ALLOWED,
    )


_LOCAL_ARCHIVE = re.compile(r"/vsi(?:zip|tar|gzip)/(?!.*/vsi)(?!.*:/).+")
# Names in a network, each with nothing before it that could lead elsewhere but an archive.
_NETWORK = re.compile(
    r"(?:/vsi(?:zip|tar|gzip)/\{?)?/vsi(?:curl/https?://|s3/|gs/|az/|adls/|oss/|swift/)."
)


def check_named(name: str, origin: str | Path) -> None:
    """Check that a name of GDAL's, which stands in the file `origin`, may be opened.

    A file may name files of its folder and of those below, and what is read from a network may
    name what lies in one.

    Raises
    ------
    InputError
        It leads elsewhere.
    """
    if current_reach() is Reach.ANYWHERE:
        return
    if is_remote(str(origin)):
        allowed = _NETWORK.match(name) is not None
    else:
        packed = _IN_ARCHIVE.fullmatch(name)
        file = packed["archive"] if packed else name
        allowed = not file.startswith("/vsi") and is_below(Path(file), Path(origin).parent)
    if not allowed:
        raise not_allowed(f"{Path(origin).name} names {name}, which lies elsewhere")


def check_remote(name: str, origin: Path) -> None:
    """Check a name of GDAL's or an address in a list, which names files anywhere on this computer.

    Raises
    ------
    InputError
        It may lead to a network, which is not allowed.
    """
    if current_reach() is not Reach.ANYWHERE and not _LOCAL_ARCHIVE.fullmatch(name):
        raise not_allowed(f"{origin.name} names {name}, which lies elsewhere")


def is_below(path: Path, folder: Path) -> bool:
    """Whether a path lies in a folder or below, by their names: links of the disk are followed."""
    there = Path(os.path.abspath(path))  # noqa: PTH100 (`resolve` would follow links)
    return there.is_relative_to(os.path.abspath(folder))  # noqa: PTH100


def file_of_source(source: str) -> Path | None:
    """The file of the disk in which a raster, or the archive around it, lies; None for others.

    A VRT has its pixels elsewhere.
    """
    packed = _IN_ARCHIVE.fullmatch(source)
    if (source.startswith(("<", "/vsi")) and not packed) or is_vrt_file(source):
        return None
    return Path(packed["archive"] if packed else source)


def _is_on_computer(source: str) -> bool:
    """Whether a name is that of a file, or of one in a zip archive that is a file."""
    packed = _IN_ARCHIVE.fullmatch(source)
    return Path(packed["archive"] if packed else source).is_file()
