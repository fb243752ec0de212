"""Another date of the place on the reduced grid of a result."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.dataset import reduced
from cloudfree.raster.warp import needed_window, placed, reduction, resample, same_grid
from cloudfree.sentinel2.optical_scene import OpticalScene

NOT_AVERAGED = (1.0, 1.0)


def place_of(scene: OpticalScene, result: Grid) -> Grid:
    """The grid of another date, seen from that of a result.

    Raises
    ------
    InputError
        One of the two lies nowhere, and their sizes differ.
    """
    grid = placed(scene.grid, result)
    if grid is None:
        raise InputError(
            f"{scene.path.name} cannot be placed on the result: one of them has no coordinate "
            "system, and their sizes differ",
            wanted="a coordinate system in both files, or the same number of pixels",
            hint="write the coordinate system into the file, as with `rio edit-info --crs`",
            code=ErrorCode.WRONG_GRID,
        )
    return grid


def reference_on_grid(
    scene: OpticalScene, bands: Sequence[str], result: Grid, shift: Shift, longest_px: int
) -> Float32:
    """Reflectance of another date where a result lies, (band, y, x); NaN where there is none.

    `shift`, in pixels of the result, is where the date shows what the result shows. No side of the
    picture exceeds `longest_px`. The date is read at about that size, then resampled.
    """
    source = place_of(scene, result)
    if shift == NO_SHIFT and same_grid(source, result):
        return scene.reduced_reflectance(bands, reduced(result, longest_px))
    target = reduced(result.shifted(shift.row, shift.col), longest_px)
    window = needed_window(source, target)
    if window is None:
        return np.full((len(bands), target.height, target.width), np.nan, dtype=np.float32)
    coarse = _coarser(source.crop(window), reduction(source, target))
    image = scene.reduced_reflectance(bands, coarse, window)
    return resample(image, coarse, target, NOT_AVERAGED)


def _coarser(grid: Grid, scale: tuple[float, float]) -> Grid:
    """The same ground in pixels that are larger by the inverse of the scales along x and y."""
    width, height = math.ceil(grid.width * scale[0]), math.ceil(grid.height * scale[1])
    larger = grid.transform.scale(grid.width / width, grid.height / height)
    return Grid(grid.crs, grid.transform @ larger, height, width)
