"""Masks that a user has: of any grid, and of the numbers that `mask_values` knows."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import STRIP_ROWS, MaskFile, mask_profile
from cloudfree.cloudmask.mask_values import MaskNumbers, Recoding, missing_value, recoding_of
from cloudfree.cloudmask.morphology import dilate, dilation_halo_px, parse_distance
from cloudfree.cloudmask.sun_geometry import Sun, sun_from_tags
from cloudfree.core.drafts import temporary_folder
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.warp import (
    covered_share,
    extent,
    grid_by_size,
    grid_of,
    nearest,
    needed_window,
    pixel_size_m,
    same_grid,
    unwrapped_longitudes,
)

logger = logging.getLogger("cloudfree")

# A smaller part of the scene outside the mask is no warning: edges of two grids seldom meet.
UNCOVERED = 5e-4

# Columns that are resampled at once: with the rows of a strip, they bound what is read of a mask
# that is finer than the scene.
_PIECE_PX = 2048


@dataclass(frozen=True, kw_only=True)
class MaskReading:
    """How the numbers of a mask are read.

    `threshold` is the minimum probability of a cloud, 0 to 1, and makes them probabilities; `scl`
    makes them a scene classification; `dilate` is a distance such as 40m.
    """

    threshold: float | None = None
    scl: bool = False
    dilate: str = "0"


AS_FOUND = MaskReading()


def open_mask(
    path: Path | str, grid: Grid, reading: MaskReading = AS_FOUND, whole: Grid | None = None
) -> MaskFile:
    """The mask in a file, or in what GDAL opens under a name, as classes on the grid of a scene.

    Classes on that grid are read where they are. All else is written as classes into a temporary
    folder, strip by strip, which closing the mask removes. Pixels of the scene outside the mask are
    nodata: they are not filled, and do not count as clear ground. `whole` is the grid from which
    that of the scene is cut, on which a mask without coordinates may lie, too.

    Raises
    ------
    InputError
        Not one band, numbers of no known meaning, or no pixel of the scene under the mask.
    """
    radius_px = parse_distance(reading.dilate).pixels(pixel_size_m(grid))
    with _UserRaster(path, grid, whole or grid) as raster:
        recoding = raster.recoding(reading)
        logger.info("mask %s: %s", raster.path.name, recoding.meaning)
        sun = sun_from_tags(raster.handle.tags())
        if recoding.unchanged and raster.aligned and not radius_px:
            return MaskFile(raster.path, grid, sun, raster.path)
        if not raster.aligned:
            _report_placement(raster)
        return _TemporaryMask(raster, recoding, radius_px, sun)


class _UserRaster(Dataset):
    """One band of a file, placed on a scene.

    `own` is its grid in the coordinates of the scene: by those of both, or, unless `located`, by
    the sizes alone. `aligned` where every pixel is one of the scene.
    """

    def __init__(self, path: Path | str, scene: Grid, whole: Grid) -> None:
        super().__init__(Path(path), str(path))
        with self.closed_on_error():
            _check_band(self)
            self.scene, self.grid = scene, grid_of(self.handle)
            self.located = bool(self.grid.crs and scene.crs)
            self.aligned = same_grid(self.grid, scene)
            self.own = scene if self.aligned else _placed(self.path.name, self.grid, scene, whole)
            self.nodata = missing_value(self.handle.nodata)

    def recoding(self, reading: MaskReading) -> Recoding:
        """What the numbers over the scene mean."""
        return recoding_of(self._numbers(), reading.threshold, reading.scl)

    def _numbers(self) -> MaskNumbers:
        """The numbers over the scene, strip by strip."""
        handle, values = self.handle, set[int]()
        whole = np.issubdtype(handle.dtypes[0], np.integer)
        lowest, highest = np.inf, -np.inf
        for strip in self._strips():
            found = self._valid(strip)
            if found.size:
                lowest, highest = min(lowest, found.min()), max(highest, found.max())
            if whole:
                values.update(np.unique(found).tolist())
        return MaskNumbers(
            name=self.path.name,
            dtype=handle.dtypes[0],
            lowest=float(min(lowest, highest)) if highest >= lowest else 0.0,
            highest=float(highest) if highest >= lowest else 0.0,
            values=frozenset(values),
            nodata=handle.nodata,
            scale=handle.scales[0],
            tags=handle.tags(),
        )

    def _strips(self) -> list[Window]:
        part = needed_window(self.own, self.scene)
        if part is None:
            return []
        rows = strips(part.height, part.width, STRIP_ROWS)
        return [Window(part.row + one.row, part.col, one.height, one.width) for one in rows]

    def _valid(self, window: Window) -> NDArray[Any]:
        """The numbers of a window that are none of nodata."""
        found = self.read([0], window)[0]
        valid = ~np.isnan(found)
        kept: NDArray[Any] = found[valid if self.nodata is None else valid & (found != self.nodata)]
        return kept

    def classes(self, recoding: Recoding, window: Window) -> Mask:
        """Classes of a window of the scene, (y, x)."""
        if self.aligned:
            return recoding.apply(self.read([0], window)[0])
        pieces = [
            self._resampled(
                recoding,
                Window(window.row, col, window.height, min(_PIECE_PX, self.scene.width - col)),
            )
            for col in range(0, self.scene.width, _PIECE_PX)
        ]
        return np.hstack(pieces)

    def _resampled(self, recoding: Recoding, window: Window) -> Mask:
        target = self.scene.crop(window)
        part = needed_window(self.own, target)
        if part is None:
            return np.full((window.height, window.width), MaskClass.NODATA, dtype=np.uint8)
        classes = recoding.apply(self.read([0], part)[0])
        return nearest(classes, self.own.crop(part), target, MaskClass.NODATA)


class _TemporaryMask(MaskFile):
    """Classes of a user's mask in a folder of their own, which is removed with them."""

    def __init__(
        self, raster: _UserRaster, recoding: Recoding, radius_px: float, sun: Sun | None
    ) -> None:
        with ExitStack() as stack:
            path = stack.enter_context(temporary_folder()) / "mask.tif"
            _write(raster, recoding, radius_px, path)
            self._folder = stack.pop_all()
        super().__init__(path, raster.scene, sun, raster.path)

    def close(self) -> None:
        """Close the file and remove it."""
        super().close()
        self._folder.close()


def _write(raster: _UserRaster, recoding: Recoding, radius_px: float, path: Path) -> None:
    grid, halo_px = raster.scene, dilation_halo_px(radius_px)
    with CogWriter(path, grid, mask_profile()) as writer:
        for strip in strips(grid.height, grid.width, STRIP_ROWS):
            outer = Window(strip.row, 0, strip.height, grid.width).buffered(
                halo_px, grid.height, grid.width
            )
            dilated = dilate(raster.classes(recoding, outer), radius_px)
            writer.write(strip, dilated[strip.relative_to(outer)][np.newaxis])


def _check_band(raster: Dataset) -> None:
    handle = raster.handle
    if handle.count != 1:
        raise InputError(
            f"mask {raster.path.name} has {handle.count} bands",
            wanted="one band of classes or probabilities",
            hint="take the band out with `gdal_translate -b`",
        )
    if handle.dtypes[0].startswith("complex"):  # complex_int16 is no type of numpy
        raise InputError(
            f"mask {raster.path.name} holds {handle.dtypes[0]} numbers",
            wanted="classes or probabilities",
            hint="give another raster",
        )


def _placed(name: str, own: Grid, scene: Grid, whole: Grid) -> Grid:
    """The grid of a mask in the coordinates of the scene; without coordinates by its size.

    `whole` is the scene before it was cut.

    Raises
    ------
    InputError
        It covers nothing of the scene, or its pixels do not nest in those of the scene.
    """
    if not (own.crs and scene.crs):
        by_size = grid_by_size(own.height, own.width, whole)
        if by_size is None:
            raise InputError(
                f"mask {name} has {own.height} x {own.width} pixels, the scene {whole.height} x "
                f"{whole.width}, and {'the scene' if own.crs else 'the mask'} no coordinates",
                wanted="coordinates in both, or one size that is a whole multiple of the other",
                hint="write the coordinates into the file with `gdal_edit -a_srs -a_ullr`",
                code=ErrorCode.WRONG_GRID,
            )
        return by_size
    placed = unwrapped_longitudes(own)
    if not covered_share(scene, placed):
        raise InputError(
            f"mask {name} covers nothing of the scene: {extent(own)}",
            wanted=f"a mask of {extent(scene)}",
            hint="give the mask of this scene",
            code=ErrorCode.NO_OVERLAP,
        )
    return placed


def _report_placement(raster: _UserRaster) -> None:
    """Log how a mask comes to the grid of the scene, and how much it leaves out."""
    name, own, scene = raster.path.name, raster.own, raster.scene
    sizes = (own.height, own.width), (scene.height, scene.width)
    if not raster.located:
        logger.info(
            "mask %s: %d x %d pixels, laid over all %d x %d of the scene for lack of coordinates",
            name, *sizes[0], *sizes[1],
        )  # fmt: skip
        return
    logger.info(
        "mask %s: %d x %d pixels of %.3g m, brought to the scene's %d x %d of %.3g m by nearest "
        "neighbour", name, *sizes[0], pixel_size_m(own), *sizes[1], pixel_size_m(scene),
    )  # fmt: skip
    outside = 1 - covered_share(scene, own)
    if outside > UNCOVERED:
        logger.warning(
            "mask %s leaves out %.1f %% of the scene, which stays as it is", name, 100 * outside
        )
