"""The dates of a place from a folder of scenes, with masks as `remove` makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cloudfree.commands.evaluate.series.cases import Date
from cloudfree.commands.radars import nearest_radar
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.made_masks import MadeMasks
from cloudfree.commands.remove.references.date_on_grid import DateOnGrid
from cloudfree.commands.remove.references.gates import MIN_COVERED
from cloudfree.commands.remove.references.radar import dated_radars
from cloudfree.core.acquisition import MAX_GAP_DAYS, Acquisition
from cloudfree.core.choices import MaskSettings
from cloudfree.core.dated_names import dated
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import MaskClass, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, silent
from cloudfree.datasets.patch import Skipped
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.warp import covered_share, nearest, placed
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.products_below import scenes_of_any_name_below

# All dates are held in memory: 4 MB for each band of each.
MAX_PIXELS = 1024 * 1024

Radars = Mapping[Path, Acquisition]


@dataclass(frozen=True)
class Series:
    """The dates of a place, in order of time, in the bands that all have, and scenes left out."""

    bands: tuple[str, ...]
    dates: tuple[Date, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class _Dated:
    """An open scene and when it was acquired."""

    scene: OpticalScene
    acquired: datetime

    @property
    def day(self) -> str:
        return f"{self.acquired:%Y-%m-%d}"


def read_series(
    folder: Path, s2_offset: float | None, masks: MadeMasks, progress: Progress
) -> Series:
    """The scenes of a folder and of those below it, on the grid of the first one.

    Radar in the folder belongs to the dates that it is nearest to. Displacements are not measured.

    Raises
    ------
    InputError
        The folder has no dated scene, or the first one is too large.
    """
    skipped: list[Skipped] = []
    with ExitStack() as files:
        opened = list(_opened(folder, s2_offset, files, skipped))
        found = _of_one_place(sorted(opened, key=lambda one: one.acquired), skipped)
        if not found:
            raise _no_scene(folder, skipped)
        first = found[0].scene
        _check_size(first)
        bands = [b for b in first.bands if all(b in one.scene.positions for one in found)]
        radars = dated_radars([folder])
        dates = []
        for one in progress(found, len(found), "dates", "date"):
            try:
                dates.append(_date(one, bands, first.grid, masks, radars))
            except InputError as error:
                skipped.append(Skipped(one.scene.name, error.found))
    return Series(tuple(bands), tuple(dates), tuple(skipped))


def _opened(
    folder: Path, s2_offset: float | None, files: ExitStack, skipped: list[Skipped]
) -> Iterator[_Dated]:
    for path in scenes_of_any_name_below(folder):
        try:
            scene = files.enter_context(OpticalScene(path, s2_offset))
        except InputError as error:
            skipped.append(Skipped(path.name, error.found))
            continue
        if acquired := dated(scene.acquisition, path).acquired:
            yield _Dated(scene, acquired)
        else:
            skipped.append(Skipped(path.name, "has no date in its metadata or its name"))


def _of_one_place(found: Sequence[_Dated], skipped: list[Skipped]) -> list[_Dated]:
    """One scene of each day, of the level and the place of the first."""
    kept: list[_Dated] = []
    for one in found:
        if reason := _reason(one, kept):
            skipped.append(Skipped(one.scene.name, reason))
        else:
            kept.append(one)
    return kept


def _reason(one: _Dated, kept: Sequence[_Dated]) -> str | None:
    """Why a scene does not belong to a series; None if it does."""
    if not kept:
        return None
    if same := next((other for other in kept if other.day == one.day), None):
        return f"is of the day of {same.scene.name}"
    first, scene = kept[0].scene, one.scene
    return _reason_of_numbers(scene, first) or _reason_of_place(scene, first)


def _reason_of_numbers(scene: OpticalScene, first: OpticalScene) -> str | None:
    if scene.level != first.level:
        return f"is {scene.level} and {first.name} {first.level}"
    if scene.is_picture != first.is_picture:
        return f"and {first.name} are a picture and reflectance"
    return None if set(scene.bands) & set(first.bands) else f"has no band of {first.name}"


def _reason_of_place(scene: OpticalScene, first: OpticalScene) -> str | None:
    source = placed(scene.grid, first.grid)
    if source is None or covered_share(first.grid, source) < MIN_COVERED:
        return f"shows another place than {first.name}"
    return None


def _check_size(scene: OpticalScene) -> None:
    height, width = scene.grid.height, scene.grid.width
    if height * width > MAX_PIXELS:
        raise InputError(
            f"{scene.name} of {width} x {height} pixels",
            wanted=f"at most {MAX_PIXELS} pixels, as all dates are held in memory",
            hint="cut all scenes to a part, as with gdal_translate -projwin",
        )


def _date(one: _Dated, bands: Sequence[str], grid: Grid, masks: MadeMasks, radars: Radars) -> Date:
    """The pixels of a scene on a grid; what its mask hides has no numbers."""
    source = placed(one.scene.grid, grid)
    assert source is not None  # as it belongs to the series
    with masks.open(one.scene, MaskSettings(), silent) as mask:
        seen = DateOnGrid(CloudyScene(one.scene, mask), source, grid)
        classes = mask.classes(one.scene.grid.window)
        return Date(
            name=one.day,
            day=one.acquired.timestamp() / timedelta(days=1).total_seconds(),
            image=seen.clear(bands, grid.window),
            hidden=is_cloud_or_shadow(nearest(classes, source, grid, MaskClass.NODATA)),
            radar=_radar(radars, Acquisition(acquired=one.acquired), grid),
        )


def _radar(radars: Radars, acquisition: Acquisition, grid: Grid) -> Float32 | None:
    """The radar nearest in time, VV and VH in dB; None if none is near."""
    known = {path: one.gap(acquisition) for path, one in radars.items()}
    gaps = {path: gap for path, gap in known.items() if gap is not None}
    path = nearest_radar(gaps, grid, timedelta(days=MAX_GAP_DAYS))
    if path is None:
        return None
    with open_sar_source(path) as radar:
        return radar.on_grid(grid, grid.window)


def _no_scene(folder: Path, skipped: Sequence[Skipped]) -> InputError:
    reasons = "; ".join(f"{one.name}: {one.reason}" for one in skipped[:3])
    return InputError(
        f"no Sentinel-2 scene of a known date in {folder}{f' ({reasons})' if reasons else ''}",
        wanted="scenes of one place on several dates, with the dates in metadata or names",
        hint="name files as in s2_20180531.tif; other formats need --allow-remote",
        code=ErrorCode.MISSING_FILE,
    )
