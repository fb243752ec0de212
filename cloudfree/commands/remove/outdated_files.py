"""Files of an earlier run of `remove` beside a result that is replaced."""

from __future__ import annotations

from pathlib import Path

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.addresses import gdal_name_of, is_elsewhere
from cloudfree.core.output_files import side_files
from cloudfree.errors import InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.provenance import VERSION


def outdated_files(options: RemoveOptions) -> tuple[Path, ...]:
    """Rasters named after the result that this run neither writes nor reads, and files beside them.

    Only those that say in their tags that cloudfree wrote them: others are the user's.
    """
    kept = {path.resolve() for path in (*options.inputs, *options.kept)}
    rasters = [
        path
        for path in options.companion_paths
        if path not in options.outputs and path.resolve() not in kept and _is_own(path)
    ]
    return tuple(path for raster in rasters for path in (raster, *_beside(raster)))


def _beside(raster: Path) -> tuple[Path, ...]:
    """Files beside a raster; elsewhere GDAL deletes them with it."""
    return () if is_elsewhere(raster) else side_files(raster)


def _is_own(path: Path) -> bool:
    if not (is_elsewhere(path) or path.is_file()):
        return False
    try:
        with open_raster(gdal_name_of(path), str(path)) as dataset:
            return VERSION in dataset.tags()
    except InputError:
        return False
