"""Geocoded Sentinel-1 scenes, resampled to the grid of an optical scene."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import SAR_BANDS, find_polarisations
from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, decibel
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster import warp
from cloudfree.raster.cog import CogProfile
from cloudfree.raster.dataset import Dataset, sample_windows, spread_windows
from cloudfree.raster.footprint import Footprint
from cloudfree.raster.resample import sample_displaced
from cloudfree.raster.warp import grid_of, same_grid
from cloudfree.sentinel1.border_noise import EROSION_PX, connected_to_edge, dilate
from cloudfree.sentinel1.geocoded_files import find_sar_files
from cloudfree.sentinel1.sar_units import decide_units, missing

logger = logging.getLogger("cloudfree")

_SAMPLE_PX = 512

# Windows a side, and their side, in which missing data is looked for; and the share of them from
# which a scene counts as whole, as pixels at its edge are missing.
_COVER_WINDOWS, _COVER_PX, WHOLE = 4, 32, 0.98

# A smaller fraction of a scene is dark targets at its edge, no nodata frame.
MIN_FRAME_SHARE = 1e-3

# Source: Small 2011, "Flattening gamma", doi:10.1109/TGRS.2011.2120616; gamma-nought is
# sigma-nought over the cosine of the angle of incidence, 30 to 45 degrees here.
GAMMA_NOUGHT = (
    "%s holds gamma-nought flattened by the terrain, taken for sigma-nought: 0.6 to 1.5 dB more on "
    "flat ground than models were trained on"
)


class SarScene(Dataset):
    """A geocoded scene with VV and VH, in one file or two, or with one of them alone.

    It is sigma-nought in dB on any grid. `bands` are its polarisations, VV first; `units` is auto,
    db, linear or dn; auto decides by a sample of the numbers.
    """

    def __init__(self, path: Path, units: str = "auto") -> None:
        files = find_sar_files(path)
        super().__init__(path, files.source)
        self.acquisition = files.acquisition
        self._source_grids: dict[Grid, Grid] = {}
        with self.closed_on_error():
            self.grid = warp.unwrapped_longitudes(grid_of(self.handle))
            found = find_polarisations(self.handle.descriptions)
            self.bands = tuple(band for band in SAR_BANDS if band in found)
            self._indexes = [found[band] for band in self.bands]
            self._require_real_numbers()
            sample, nodata = self._sample(), self.handle.nodata
            self.units = decide_units(units, sample, nodata, path.name, self._scaling())
            if not any(self.handle.descriptions):
                self._log_band_order(self.units.decibels(sample))
            self._frame = self._undeclared_frame()
        if files.gamma_nought:
            logger.info(GAMMA_NOUGHT, path.name)

    def on_grid(self, grid: Grid, window: Window, shift: Displacement = NO_SHIFT) -> Float32:
        """Its bands in dB, (band, y, x), of a window of an optical grid; NaN where there is none.

        One resampling, in linear power, `shift` included. On the same grid and without a shift the
        numbers are unchanged.

        Raises
        ------
        InputError
            A coordinate system is missing and the sizes differ.
        """
        source = self._source_grid(grid)
        if shift == NO_SHIFT and same_grid(source, grid):
            return self._values(window, self.units.decibels)
        scale = warp.reduction(source, grid)
        target = warp.displaced_grid(grid, window, shift)
        if target is None:
            return decibel(sample_displaced(self._power, source, grid, window, shift, scale))
        part = warp.needed_window(source, target)
        if part is None:
            return np.full((len(self.bands), window.height, window.width), np.nan, np.float32)
        return decibel(warp.resample(self._power(part), source.crop(part), target, scale))

    def overlap(self, grid: Grid) -> float:
        """Fraction of an optical grid, 0 to 1, inside the footprint of this scene and with data.

        Where data is missing inside the footprint, it is an estimate from a sample.
        """
        footprint = self.footprint(grid)
        part = footprint.part(grid.window)
        return (
            footprint.share(grid.window) * self._with_data(grid, footprint, part) if part else 0.0
        )

    def _with_data(self, grid: Grid, footprint: Footprint, part: Window) -> float:
        """Share of the footprint that has data, in windows spread over a part of a grid."""
        covered = found = 0.0
        for window in spread_windows(part, _COVER_WINDOWS, _COVER_PX):
            covered += footprint.share(window) * window.height * window.width
            found += float(np.isfinite(self.on_grid(grid, window)).all(axis=0).sum())
        share = found / covered if covered else 1.0
        return share if share < WHOLE else 1.0

    def footprint(self, grid: Grid) -> Footprint:
        """Where this scene lies on an optical grid."""
        source = self._source_grid(grid)
        return Footprint.within(warp.positions(source, grid, warp.outline(source)))

    def _power(self, window: Window) -> Float32:
        return self._values(window, self.units.power)

    def _values(self, window: Window, convert: Callable[[NDArray[np.generic]], Float32]) -> Float32:
        """Converted numbers of a window, (band, y, x), without the margin of the nodata frame."""
        if self._frame is None:
            return convert(self.read(self._indexes, window))
        outer = window.buffered(EROSION_PX, self.grid.height, self.grid.width)
        numbers = self.read(self._indexes, outer)
        values = convert(numbers)
        frame = self.units.undeclared(numbers) & self._frame_on(self._frame, outer)
        values[:, dilate(frame, EROSION_PX)] = np.nan
        return values[:, *window.relative_to(outer)]

    def _require_real_numbers(self) -> None:
        if any(name.startswith("complex") for name in self.handle.dtypes):
            raise InputError(
                f"complex numbers in {self.path.name}",
                wanted="sigma-nought in dB or linear power, or a GRD product",
                hint="calibrate the SLC product first, with SNAP or pyroSAR",
            )

    def _scaling(self) -> tuple[tuple[float, float], ...]:
        """GDAL's scale and offset of each band; empty if they change nothing."""
        scales, offsets = self.handle.scales, self.handle.offsets
        scaling = tuple((scales[index], offsets[index]) for index in self._indexes)
        return () if set(scaling) == {(1.0, 0.0)} else scaling

    def _log_band_order(self, decibels: Float32) -> None:
        """Log which band is taken for VV and VH; VV is brighter nearly everywhere."""
        logger.info("the bands of %s have no names: taken for VV and VH", self.path.name)
        valid = decibels[:, np.isfinite(decibels).all(axis=0)]
        vv, vh = np.median(valid, axis=1) if valid.size else (0.0, 0.0)
        if vv < vh:
            logger.warning(
                "the first band of %s is %.1f dB darker than the second, as if VH came first: "
                "name the bands VV and VH if so",
                self.path.name, vh - vv,
            )  # fmt: skip

    def _sample(self) -> NDArray[np.generic]:
        """Sample of the numbers, (band, y, x): windows, or every n-th pixel if those are empty."""
        sample = sample_windows(self, self._indexes)[:, np.newaxis]
        if missing(sample.astype(np.float32), self.handle.nodata).all():
            return self.thinned(self._indexes, _SAMPLE_PX)
        return sample

    def _undeclared_frame(self) -> NDArray[np.bool_] | None:
        """Undeclared nodata around the scene, subsampled; None if there is none.

        Next to undeclared nodata there are pixels mixed with it; a file that declares its nodata
        has been cut with care. Most scenes have no such frame, as their edges show.
        """
        if not any(self._is_blank(end) for end in self._ends()):
            return None
        sample = self.thinned(self._indexes, _SAMPLE_PX)
        frame = connected_to_edge(self.units.undeclared(sample), (True, True, True, True))
        if frame.mean() < MIN_FRAME_SHARE:
            return None
        logger.info(
            "%d pixels are removed next to undeclared nodata of %s", EROSION_PX, self.path.name
        )
        return dilate(frame, 1)

    def _ends(self) -> tuple[Window, Window, Window, Window]:
        """The first and the last row and column."""
        height, width = self.grid.height, self.grid.width
        rows = (Window(0, 0, 1, width), Window(height - 1, 0, 1, width))
        return (*rows, Window(0, 0, height, 1), Window(0, width - 1, height, 1))

    def _is_blank(self, window: Window) -> bool:
        """Whether a window has undeclared nodata."""
        numbers = self.thinned(self._indexes, _SAMPLE_PX, window)
        return bool(self.units.undeclared(numbers).any())

    def _frame_on(self, frame: NDArray[np.bool_], window: Window) -> NDArray[np.bool_]:
        """The frame of the sample at the pixels of a window, (y, x)."""
        rows = np.arange(window.row, window.row_stop) * frame.shape[0] // self.grid.height
        cols = np.arange(window.col, window.col_stop) * frame.shape[1] // self.grid.width
        return frame[np.ix_(rows, cols)]

    def _source_grid(self, grid: Grid) -> Grid:
        """The grid of this scene: its own, or `grid` if one has no coordinate system."""
        if grid not in self._source_grids:
            self._source_grids[grid] = self._choose_source_grid(grid)
        return self._source_grids[grid]

    def _choose_source_grid(self, grid: Grid) -> Grid:
        if self.grid.crs and grid.crs:
            return self.grid
        size, expected = (self.grid.height, self.grid.width), (grid.height, grid.width)
        if size != expected:
            raise InputError(
                f"no coordinate system in one of the scenes, and {size[0]} x {size[1]} pixels in "
                f"{self.path.name} against {expected[0]} x {expected[1]}",
                wanted="scenes with coordinates, or two that match pixel by pixel",
                hint="georeference both scenes, for example with gdalwarp",
                code=ErrorCode.WRONG_GRID,
            )
        logger.warning(
            "no coordinate system in one of the scenes: %s is taken to match the optical scene "
            "pixel by pixel",
            self.path.name,
        )
        return grid


def sar_profile(
    tags: Mapping[str, str],
    creation_options: Mapping[str, str],
    bands: tuple[str, ...] = SAR_BANDS,
) -> CogProfile:
    """Output profile of Sentinel-1: its bands in dB as floats, NaN for nodata.

    Overviews take every n-th pixel: a mean of decibels means nothing.
    """
    return CogProfile(
        dtype="float32",
        nodata=float("nan"),
        descriptions=bands,
        tags=tags,
        units=("dB",) * len(bands),
        overview_resampling="NEAREST",
        creation_options=creation_options,
    )
