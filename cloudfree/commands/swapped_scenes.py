"""Sentinel-1 given as Sentinel-2, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cloudfree.core.bands import find_optical_bands, find_polarisations
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.sentinel1.geocoded_files import find_sar_files
from cloudfree.sentinel1.product import find_product as find_radar
from cloudfree.sentinel2.detect_product import find_product as find_optical


@contextmanager
def swaps_refused(s1: Sequence[Path], s2: Path) -> Iterator[None]:
    """Replace the error of a block that reads scenes if each of them is the other's sensor.

    Nothing is opened unless the block fails.

    Raises
    ------
    InputError
        The first of `s1` is Sentinel-2 and `s2` is Sentinel-1.
    """
    try:
        yield
    except InputError as error:
        if not (s1 and is_optical(s1[0]) and is_radar(s2)):
            raise
        raise InputError(
            f"these look swapped: --s1 {s1[0].name} is Sentinel-2, --s2 {s2.name} is Sentinel-1",
            wanted="Sentinel-1 as --s1 and Sentinel-2 as --s2",
            hint="give each path to the other option",
            code=ErrorCode.SWAPPED,
        ) from error


def is_optical(path: Path) -> bool:
    """Whether a path is a Sentinel-2 product, or a raster with its bands."""
    try:
        product = find_optical(path)
        return bool(product.bands or find_optical_bands(_descriptions(product.raster or "")))
    except CloudfreeError:
        return False


def is_radar(path: Path) -> bool:
    """Whether a path is a GRD product, or rasters with VV and VH."""
    try:
        if find_radar(path):
            return True
        return bool(find_polarisations(_descriptions(find_sar_files(path).source)))
    except CloudfreeError:
        return False


def _descriptions(source: str) -> tuple[str | None, ...]:
    """The names of the bands of a raster, by the name under which GDAL opens it."""
    with open_raster(source, source) as dataset:
        return tuple(dataset.descriptions)
