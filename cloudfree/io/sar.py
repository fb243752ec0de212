"""Sentinel-1 scenes on disk, and on the grid of an optical scene."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import SAR_BANDS, find_polarisations
from cloudfree.core.grid import Grid
from cloudfree.core.shift import NO_SHIFT, Shift
from cloudfree.core.units import Float32, decibel
from cloudfree.core.window import Window
from cloudfree.errors import InputError
from cloudfree.io import warp
from cloudfree.io.cog import CogProfile
from cloudfree.io.dataset import Dataset
from cloudfree.io.georeference import grid_of, same_grid
from cloudfree.io.sar_units import decide_units

log = logging.getLogger("cloudfree")

_SAMPLE_PX = 512


class SarScene(Dataset):
    """One raster with VV and VH: sigma-nought in dB on any grid.

    `units` is auto, db, linear or dn; auto looks at a sample of the numbers.
    """

    def __init__(self, path: Path, units: str = "auto") -> None:
        super().__init__(path)
        self.grid = warp.untorn(grid_of(self.handle))
        found = find_polarisations(self.handle.descriptions)
        self._indexes = [found[band] for band in SAR_BANDS]
        self.units = decide_units(units, self._sample(), self.handle.nodata, path.name)
        self._places: dict[Grid, Grid] = {}

    def on_grid(self, grid: Grid, window: Window, shift: Shift = NO_SHIFT) -> Float32:
        """VV and VH in dB, (2, y, x), of a window of an optical grid; NaN where there is none.

        One resampling, in linear power, `shift` included. Where the grids are the same and
        nothing is shifted the numbers pass through unchanged.

        Raises
        ------
        InputError
            A coordinate system is missing and the sizes differ.
        """
        source = self._place(grid)
        if shift == NO_SHIFT and same_grid(source, grid):
            return self.units.decibels(self.read(self._indexes, window))
        target = grid.of(window).shifted(shift.row, shift.col)
        part = warp.needed_window(source, target)
        if part is None:
            return np.full((len(SAR_BANDS), window.height, window.width), np.nan, np.float32)
        power = self.units.power(self.read(self._indexes, part))
        scale = warp.reduction(source, grid)
        return decibel(warp.resample(power, source.of(part), target, scale))

    def overlap(self, grid: Grid) -> float:
        """Share of an optical grid, 0 to 1, inside the footprint of this scene."""
        return warp.covered_share(grid, self._place(grid))

    def _place(self, grid: Grid) -> Grid:
        """Where this scene lies: on its own grid, or on `grid` if one has no coordinate system."""
        if grid not in self._places:
            self._places[grid] = self._find_place(grid)
        return self._places[grid]

    def _find_place(self, grid: Grid) -> Grid:
        if self.grid.crs and grid.crs:
            return self.grid
        size, wanted = (self.grid.height, self.grid.width), (grid.height, grid.width)
        if size != wanted:
            raise InputError(
                f"no coordinate system in one of the scenes, and {size[0]} x {size[1]} pixels in "
                f"{self.path.name} against {wanted[0]} x {wanted[1]}",
                wanted="scenes with coordinates, or two that match pixel by pixel",
                hint="georeference both scenes, for example with gdalwarp",
            )
        log.warning(
            "no coordinate system in one of the scenes: %s is taken to match the optical scene "
            "pixel by pixel",
            self.path.name,
        )
        return grid

    def _sample(self) -> NDArray[np.generic]:
        """At most 512 x 512 pixels from all over the scene."""
        shape = (min(self.grid.height, _SAMPLE_PX), min(self.grid.width, _SAMPLE_PX))
        indexes = [index + 1 for index in self._indexes]
        pixels: NDArray[np.generic] = self.handle.read(indexes, out_shape=(len(indexes), *shape))
        return pixels


def sar_profile(tags: Mapping[str, str], creation_options: Mapping[str, str]) -> CogProfile:
    """How Sentinel-1 is written: VV and VH in dB as floats, NaN for nodata.

    Overviews take every n-th pixel: a mean of decibels means nothing.
    """
    return CogProfile(
        dtype="float32",
        nodata=float("nan"),
        descriptions=SAR_BANDS,
        tags=tags,
        units=("dB",) * len(SAR_BANDS),
        overview_resampling="NEAREST",
        creation_options=creation_options,
    )
