"""Cloud masks and cloud scores on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.sun_geometry import Sun
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.core.mask_classes import CLASS_TAG, FILE_CLASSES, MASK_COLOURS, Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.provenance import WARNINGS
from cloudfree.raster.warp import grid_of, same_grid

STRIP_ROWS = 512

# The tags of a mask that say how it was made begin so.
_SETTINGS = "MASK_"
DILATION_TAG = "MASK_DILATE"

_CLASSES = ", ".join(f"{value.value} {value.name.lower()}" for value in FILE_CLASSES)
_MAKE = "make it from the scene with `cloudfree mask`"


class MaskFile(Dataset):
    """A one-band raster of mask classes on the grid of its scene.

    `sun` is what decided its shadows, None if unknown; `origin` the file that the user gave, None
    if the mask was made here.

    Raises
    ------
    InputError
        Not one band of bytes on the grid.
    """

    def __init__(
        self, path: Path, grid: Grid, sun: Sun | None = None, origin: Path | None = None
    ) -> None:
        super().__init__(path)
        self.sun, self.origin = sun, origin
        with self.closed_on_error():
            self.grid = grid_of(self.handle)
            _check_form(self, grid)

    def classes(self, window: Window) -> Mask:
        """Mask classes of a window, (y, x)."""
        return np.asarray(self.read([0], window)[0], dtype=np.uint8)

    @property
    def made_by(self) -> dict[str, str]:
        """Its tags that say how it was made: settings, sun and warnings."""
        tags: dict[str, str] = self.handle.tags()
        return {
            name: text
            for name, text in tags.items()
            if name.startswith(_SETTINGS) or name == WARNINGS
        }

    def counts(self) -> NDArray[np.int64]:
        """Number of pixels of each of the 256 values, strip by strip."""
        counts = np.zeros(256, dtype=np.int64)
        for strip in strips(self.grid.height, self.grid.width, STRIP_ROWS):
            counts += np.bincount(self.classes(strip).ravel(), minlength=256)
        return counts


def _check_form(mask: MaskFile, grid: Grid) -> None:
    name, handle = mask.path.name, mask.handle
    if handle.count != 1:
        raise InputError(
            f"mask {name} has {handle.count} bands",
            wanted=f"one band of classes: {_CLASSES}",
            hint=f"take the band out with `gdal_translate -b`, or {_MAKE}",
        )
    if handle.dtypes[0] != "uint8":
        raise InputError(
            f"mask {name} holds {handle.dtypes[0]} numbers",
            wanted=f"classes as uint8: {_CLASSES}",
            hint=f"write its classes as bytes with `gdal_translate -ot Byte`, or {_MAKE}",
        )
    if not same_grid(mask.grid, grid):
        raise InputError(
            f"mask {name} ({mask.grid.height} x {mask.grid.width} pixels) does not lie on the "
            "scene's grid",
            wanted=f"a mask of {grid.height} x {grid.width} pixels on the same grid",
            hint=_MAKE,
            code=ErrorCode.WRONG_GRID,
        )


def mask_profile() -> CogProfile:
    """How a mask is written: one byte, colours, names of the classes, overviews by majority."""
    names = {f"{CLASS_TAG}{value.value}": value.label for value in FILE_CLASSES}
    return CogProfile(
        dtype="uint8",
        nodata=MaskClass.NODATA,
        descriptions=("cloud mask",),
        tags=names,
        colours={value.value: colour for value, colour in MASK_COLOURS.items()},
        overview_resampling="MODE",
    )


# Score of one step in a byte; a score of 1 is 200.
BYTE_STEP = 1 / 200
BYTE_NODATA = 255


class ScoreWriter(CogWriter):
    """Writes scores from 0 to 1 into a one-band raster: float32, or bytes of 1/200."""

    def write_score(self, window: Window, score: Float32) -> None:
        """Write the score of a window, (y, x), NaN where there is no data."""
        self.write(window, encode_score(score, self.profile.dtype)[np.newaxis])


def encode_score(score: Float32, dtype: str) -> NDArray[np.generic]:
    """The numbers that stand for a score in a file of `dtype`."""
    if dtype == "float32":
        return score
    steps = np.rint(score / np.float32(BYTE_STEP))
    return np.asarray(np.nan_to_num(steps, nan=BYTE_NODATA), dtype=np.uint8)


def score_profile(dtype: str) -> CogProfile:
    """How a score is written: as it is with NaN for nodata, or as a byte with scale and 255."""
    scaled = dtype == "uint8"
    return CogProfile(
        dtype=dtype,
        nodata=BYTE_NODATA if scaled else float("nan"),
        descriptions=("cloud score",),
        scales=(BYTE_STEP,) if scaled else (),
        offsets=(0.0,) if scaled else (),
    )
