"""Patches of a data set: what is known before one is read, and reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.dated_names import dated
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, Radiometry
from cloudfree.errors import ErrorCode, InputError
from cloudfree.inference.date_series import OtherDate
from cloudfree.raster.warp import same_grid
from cloudfree.sentinel1.sar_source import open_sar_source, require_both
from cloudfree.sentinel2.optical_scene import OpticalScene


@dataclass(frozen=True)
class SampleDate:
    """One date of a time series: its optical image, its radar image if there is one, and its day.

    `day` is a day number (`day_number`), the mean of both sensors' where both are there.
    """

    optical: Path
    sar: Path | None
    day: float


@dataclass(frozen=True)
class Sample:
    """One patch of a data set: a clear image, perhaps a cloudy one of the same ground, and SAR.

    Samples of one `place` show the same ground or its surroundings: they belong on one side of any
    split. `season` is empty if unknown. `cloudy` and `sar` are None if there is no such file.
    `window` is the part of the files that the patch covers, None for all of them. `offset_dn` is
    added to the digital numbers; None leaves it to the evidence in each file.

    A patch of a time series has its dates in `series` and how many are shown in `shown`; until
    `choose_dates` has looked at their clouds, the other images are merely the first dates. Then
    `day` is that of the cloudy image, and `others` are the other dates that are shown.
    """

    name: str
    place: str
    season: str
    cloudy: Path | None
    clear: Path
    sar: Path | None
    window: Window | None = None
    offset_dn: float | None = None
    series: tuple[SampleDate, ...] = ()
    shown: int = 1
    day: float | None = None
    others: tuple[SampleDate, ...] = ()

    @property
    def optical(self) -> Path:
        """The cloudy image, or the clear one of a sample without clouds of its own."""
        return self.clear if self.cloudy is None else self.cloudy


@dataclass(frozen=True)
class Skipped:
    """A patch that cannot be used, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class PatchDates:
    """When the three images of a patch were acquired, as days in ISO 8601; empty if unknown."""

    sar: str = ""
    cloudy: str = ""
    clear: str = ""

    def days(self, one: str, other: str) -> int | None:
        """Days between two of the images, never negative; None if one is not dated."""
        days = [getattr(self, name) for name in (one, other)]
        if not all(days):
            return None
        first, second = map(date.fromisoformat, days)
        return abs((first - second).days)


UNDATED = PatchDates()


@dataclass(frozen=True)
class Patch:
    """The pixels of a sample.

    `cloudy` and `clear` are reflectance, (band, y, x) in the order of `bands`; `sar` is VV and VH
    in dB, (2, y, x), or None; NaN where there is no data. A sample without a cloudy image has the
    clear one in both: clouds are simulated over it. `radiometry` is that of the `cloudy` pixels.
    `others` are other dates in the same bands; their days count from the `day` of the cloudy image.
    `dates` are those of the metadata, or of the names of a time series.
    """

    name: str
    bands: tuple[str, ...]
    cloudy: Float32
    clear: Float32
    sar: Float32 | None
    grid: Grid
    radiometry: Radiometry
    sun_azimuth_deg: float | None
    day: float | None = None
    others: tuple[OtherDate, ...] = ()
    dates: PatchDates = UNDATED
    sun_is_stated: bool = False

    def select(self, image: Float32, bands: Sequence[str]) -> Float32:
        """Some bands of an image with the bands of the patch."""
        return image[[self.bands.index(band) for band in bands]]

    def others_in(self, bands: Sequence[str]) -> tuple[OtherDate, ...]:
        """The other dates in some bands."""
        return tuple(replace(one, optical=self.select(one.optical, bands)) for one in self.others)

    def reflectance(self, bands: tuple[str, ...], window: Window) -> Float32:
        """Bands of a window of the cloudy image: a patch can be classified like a scene."""
        return self.select(self.cloudy, bands)[:, *window.slices]

    def require(self, bands: Sequence[str], purpose: str) -> None:
        """Check that the patch has all `bands`.

        Raises
        ------
        InputError
            Some are missing; the message names them and their purpose.
        """
        if missing := [band for band in bands if band not in self.bands]:
            raise InputError(
                f"no band {', '.join(missing)} in {self.name}",
                wanted=f"the bands that {purpose} needs: {', '.join(bands)}",
                hint="give a data set with these bands",
                code=ErrorCode.MISSING_BAND,
            )

    def part(self, window: Window) -> Patch:
        """The patch of a window."""
        inside = (slice(None), *window.slices)
        return replace(
            self,
            cloudy=self.cloudy[inside],
            clear=self.clear[inside],
            sar=None if self.sar is None else self.sar[inside],
            grid=self.grid.crop(window),
            others=tuple(one.each(lambda array: array[inside]) for one in self.others),
        )


def read_patch(sample: Sample) -> Patch:
    """The pixels of a sample, with the bands that all its optical images have.

    Raises
    ------
    InputError
        A file is damaged, or the images do not lie on one grid.
    """
    with ExitStack() as stack:
        cloudy, clear, *others = [
            stack.enter_context(OpticalScene(path, sample.offset_dn))
            for path in (sample.optical, sample.clear, *(one.optical for one in sample.others))
        ]
        for other in (clear, *others):
            if not same_grid(cloudy.grid, other.grid):
                raise _different_grids(cloudy, other)
        window = sample.window or cloudy.grid.window
        common = set.intersection(*({*scene.bands} for scene in (cloudy, clear, *others)))
        bands = tuple(band for band in OPTICAL_BANDS if band in common)
        sar, sar_acquired = _read_sar(sample.sar, cloudy.grid, window)
        acquired = {"sar": sar_acquired, "cloudy": cloudy.acquisition, "clear": clear.acquisition}
        return Patch(
            name=sample.name,
            bands=bands,
            cloudy=cloudy.reflectance(bands, window),
            clear=clear.reflectance(bands, window),
            sar=sar,
            grid=cloudy.grid.crop(window),
            radiometry=cloudy.radiometry,
            sun_azimuth_deg=cloudy.sun_azimuth_deg,
            day=sample.day,
            others=tuple(
                OtherDate(
                    scene.reflectance(bands, window),
                    one.day - (sample.day or 0.0),
                    _read_sar(one.sar, cloudy.grid, window)[0],
                )
                for one, scene in zip(sample.others, others, strict=True)
            ),
            dates=_dates(sample, acquired),
        )


def _read_sar(path: Path | None, grid: Grid, window: Window) -> tuple[Float32 | None, Acquisition]:
    """VV and VH on the grid of the optical images, (2, y, x) in dB, and their acquisition."""
    if path is None:
        return None, UNKNOWN
    with open_sar_source(path) as radar:
        require_both(radar, "a sample")
        return np.asarray(radar.on_grid(grid, window), dtype=np.float32), radar.acquisition


def _dates(sample: Sample, acquired: Mapping[str, Acquisition]) -> PatchDates:
    """The days of the images; only in a time series is a day in a name that of one image."""
    paths = {"sar": sample.sar, "cloudy": sample.optical, "clear": sample.clear}
    is_series = sample.day is not None
    found = {
        role: dated(one, path) if is_series and path else one
        for (role, one), path in zip(acquired.items(), paths.values(), strict=True)
    }
    return PatchDates(
        **{role: f"{one.acquired:%Y-%m-%d}" for role, one in found.items() if one.acquired}
    )


def _different_grids(cloudy: OpticalScene, clear: OpticalScene) -> InputError:
    sizes = [f"{scene.grid.height} x {scene.grid.width}" for scene in (cloudy, clear)]
    return InputError(
        f"{cloudy.path.name} ({sizes[0]}) and {clear.path.name} ({sizes[1]}) on different grids",
        wanted="a clear image that matches the cloudy one pixel by pixel",
        hint="bring one onto the grid of the other, for example with gdalwarp",
        code=ErrorCode.WRONG_GRID,
    )
