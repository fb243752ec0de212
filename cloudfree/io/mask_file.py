"""Cloud masks on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cloudfree.core.cloud_mask import MASK_COLOURS, Mask, MaskClass
from cloudfree.core.grid import Grid
from cloudfree.core.window import Window
from cloudfree.errors import InputError
from cloudfree.io.cog import CogProfile
from cloudfree.io.dataset import Dataset
from cloudfree.io.georeference import grid_of, same_grid


class MaskFile(Dataset):
    """A one-band raster of mask classes on the grid of its scene."""

    def __init__(self, path: Path, grid: Grid) -> None:
        super().__init__(path)
        with self.closed_if_refused():
            self.grid = grid_of(self.handle)
            self._refuse_other(grid)

    def classes(self, window: Window) -> Mask:
        """Mask classes of a window, (y, x)."""
        return np.asarray(self.read([0], window)[0], dtype=np.uint8)

    def _refuse_other(self, grid: Grid) -> None:
        """Refuse a file that is no mask, or one of another scene."""
        if same_grid(self.grid, grid) and self.handle.dtypes[0] == "uint8":
            return
        found = f"{self.grid.height} x {self.grid.width} {self.handle.dtypes[0]}"
        raise InputError(
            f"mask {self.path.name} ({found}) does not lie on the scene's grid",
            wanted=f"a uint8 mask of {grid.height} x {grid.width} pixels on the same grid",
            hint="make it from the scene with `cloudfree mask`",
        )


def mask_profile() -> CogProfile:
    """How a mask is written: one byte, colours, names of the classes, overviews by majority."""
    names = {f"CLASS_{value.value}": value.name.lower() for value in MaskClass}
    return CogProfile(
        dtype="uint8",
        nodata=MaskClass.NODATA,
        descriptions=("cloud mask",),
        tags=names,
        colours={value.value: colour for value, colour in MASK_COLOURS.items()},
        overview_resampling="MODE",
    )
