"""Rasters that are written elsewhere, such as to a bucket: as a whole file, once they are finished.

GDAL copies the file that was made here: COGs cannot be written there piece by piece, and an object
of a bucket appears when all of it is there. Other files than rasters GDAL does not copy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from cloudfree.core.addresses import gdal_name_of, is_elsewhere
from cloudfree.core.output_files import cannot_be_written, require_absent
from cloudfree.errors import CloudfreeError, ErrorCode, OutputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.gdal import ignored_warning

_RASTERS = (".tif", ".tiff")
_PROBE = "part.tif"


def require_new(path: Path, overwrite: bool) -> None:
    """Check that an output does not exist yet and can be written, here or elsewhere.

    Elsewhere a small raster is written beside it and deleted again.

    Raises
    ------
    OutputError
        It exists, is no raster elsewhere, or cannot be written there.
    """
    if not is_elsewhere(path):
        require_absent(path, overwrite)
        return
    if path.suffix.lower() not in _RASTERS:
        raise OutputError(
            f"{path.name} beside a result that is written elsewhere",
            wanted="rasters alone, as GDAL copies no other files",
            hint="leave --stac, --qml, --quicklook and --report out, or write here and copy",
            code=ErrorCode.BAD_OPTION,
        )
    if not overwrite and exists(path):
        raise OutputError(
            f"{gdal_name_of(path)} exists already",
            wanted="a new name",
            hint="add --overwrite to replace it, or choose another name with -o",
            code=ErrorCode.OUTPUT_EXISTS,
        )
    _check_writable(path)


def check_local(folder: Path, what: str) -> None:
    """Refuse a folder elsewhere for what has to be written on this machine.

    Raises
    ------
    OutputError
        It lies elsewhere.
    """
    if is_elsewhere(folder):
        raise OutputError(
            f"{gdal_name_of(folder)} as the folder of {what}",
            wanted="a folder on this machine, where its log grows",
            hint="write here and copy the results",
            code=ErrorCode.BAD_OPTION,
        )


def exists(path: Path) -> bool:
    """Whether there is a raster elsewhere."""
    try:
        open_raster(gdal_name_of(path), path.name).close()
    except CloudfreeError:
        return False
    return True


def copy_elsewhere(finished: Path, path: Path) -> None:
    """Copy a finished raster elsewhere.

    Raises
    ------
    RasterioError
        GDAL cannot write there.
    """
    rasterio.shutil.copyfiles(str(finished), gdal_name_of(path))


def delete_elsewhere(outdated: Iterable[Path]) -> None:
    """Delete those rasters of an earlier result that lie elsewhere.

    Raises
    ------
    OutputError
        GDAL cannot delete there.
    """
    for path in filter(is_elsewhere, outdated):
        try:
            rasterio.shutil.delete(gdal_name_of(path))
        except (RasterioError, CPLE_BaseError) as error:
            raise cannot_be_written(path, error) from error


def _check_writable(path: Path) -> None:
    probe = path.with_name(f"{path.stem}.{_PROBE}")
    with tempfile.TemporaryDirectory(prefix="cloudfree-") as folder:
        draft = Path(folder) / _PROBE
        with (
            ignored_warning(NotGeoreferencedWarning),
            rasterio.open(draft, "w", driver="GTiff", width=1, height=1, count=1,
                          dtype="uint8") as dataset,
        ):  # fmt: skip
            dataset.write(np.zeros((1, 1, 1), np.uint8))
        try:
            copy_elsewhere(draft, probe)
            rasterio.shutil.delete(gdal_name_of(probe))
        except (RasterioError, CPLE_BaseError, OSError) as error:
            raise cannot_be_written(path, error) from error
