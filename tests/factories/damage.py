"""What goes wrong on disks: files cut short, folders that are closed, no room."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import rasterio.shutil
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.raster.gdal import ignored_warning


def cut_short(path: Path, share: float = 0.5) -> Path:
    """Leave the first part of a file, as a download that broke off does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def closed_folder(place: Path) -> Path:
    """A folder in which no file can be made; root may write into any on the disk."""
    folder = place / "closed"
    folder.mkdir(mode=0o500)
    return Path("/proc") if os.access(folder, os.W_OK) else folder


def half_loaded(path: Path) -> Path:
    """A GeoTIFF whose head is whole and whose pixels are not: it opens and cannot be read."""
    copy = path.with_name("copy.tif")
    with ignored_warning(NotGeoreferencedWarning):
        rasterio.shutil.copy(path, copy, driver="COG")
    copy.replace(path)
    return cut_short(path, 0.6)


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file grows beyond `room` bytes: the system refuses to write on."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
