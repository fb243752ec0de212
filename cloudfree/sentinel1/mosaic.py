"""Slices of one pass of Sentinel-1 as one scene."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Self

import numpy as np

from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.footprint import Footprint
from cloudfree.sentinel1.sar_source import SarSource, open_sar_source
from cloudfree.sentinel1.sar_units import SarQuantity

# Slices of a pass follow each other every 25 seconds, the next pass over a place is half a day
# away. Source: Sentinel-1 Product Definition, S1-RS-MDA-52-7440.
MAX_BETWEEN = timedelta(minutes=2)


def open_sar_sources(
    paths: Sequence[Path], units: str = "auto", dem: Path | None = None
) -> SarSource:
    """Open one scene, or several slices of one pass as a mosaic.

    Raises
    ------
    InputError
        As `open_sar_source`, or they are not of one pass.
    """
    if len(paths) == 1:
        return open_sar_source(paths[0], units, dem)
    with ExitStack() as stack:
        slices = [stack.enter_context(open_sar_source(path, units, dem)) for path in paths]
        for one, other in combinations(slices, 2):
            _check_same_pass(one, other)
        return SarMosaic(slices, stack.pop_all())


class SarMosaic:
    """Several slices on the grid of an optical scene: the first that has data at a pixel.

    Path, units and acquisition are those of the first.
    """

    def __init__(self, slices: Sequence[SarSource], files: ExitStack) -> None:
        self._slices, self._files = tuple(slices), files
        first = self._slices[0]
        self.path, self.grid, self.acquisition = first.path, first.grid, first.acquisition

    @property
    def bands(self) -> tuple[str, ...]:
        """Polarisations, which all slices share."""
        return self._slices[0].bands

    @property
    def units(self) -> SarQuantity:
        """Quantity of the numbers in the first product."""
        return self._slices[0].units

    def on_grid(self, grid: Grid, window: Window, shift: Displacement = NO_SHIFT) -> Float32:
        """Backscatter in dB, (band, y, x), of a window of an optical grid; NaN where none is."""
        mosaic = self._slices[0].on_grid(grid, window, shift)
        for other in self._slices[1:]:
            missing = ~np.isfinite(mosaic).all(axis=0)
            if not missing.any():
                break
            decibels = other.on_grid(grid, window, shift)
            # What has one polarisation only is replaced by what has both.
            there = missing & np.isfinite(decibels).all(axis=0)
            mosaic[:, there] = decibels[:, there]
        return mosaic

    def overlap(self, grid: Grid) -> float:
        """Fraction of an optical grid, 0 to 1, inside the footprint of any slice."""
        return self.footprint(grid).share(grid.window)

    def footprint(self, grid: Grid) -> Footprint:
        """Where the slices lie on an optical grid."""
        return Footprint.union(one.footprint(grid) for one in self._slices)

    def close(self) -> None:
        """Close the files of all slices."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_same_pass(one: SarSource, other: SarSource) -> None:
    """Refuse slices of two passes, as far as their metadata tell, or of other polarisations."""
    if one.bands != other.bands:
        kinds = " and ".join("+".join(source.bands) for source in (one, other))
        raise _other_pass(one, other, f"of other polarisations, {kinds}", ErrorCode.BAD_INPUT)
    gap = one.acquisition.gap(other.acquisition)
    if gap is not None and gap > MAX_BETWEEN:
        raise _other_pass(one, other, f"{_text(gap)} apart", ErrorCode.TIME_GAP)
    directions = [source.acquisition.orbit_direction for source in (one, other)]
    if None not in directions and directions[0] != directions[1]:
        raise _other_pass(one, other, " and ".join(filter(None, directions)), ErrorCode.BAD_INPUT)


def _text(gap: timedelta) -> str:
    minutes = gap / timedelta(minutes=1)
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{gap / timedelta(hours=1):.0f} hours"


def _other_pass(one: SarSource, other: SarSource, apart: str, code: ErrorCode) -> InputError:
    return InputError(
        f"Sentinel-1 scenes {one.path.name} and {other.path.name} are {apart}",
        wanted=f"slices of one pass, at most {MAX_BETWEEN / timedelta(minutes=1):.0f} minutes "
        "apart, in one direction of the orbit",
        hint="give those of the pass that is nearest in time to Sentinel-2",
        code=code,
    )
