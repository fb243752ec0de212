"""Time series of patches: the dates of each, by the names of their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cloudfree.datasets.patch import Sample, SampleDate, Skipped
from cloudfree.datasets.sen12mscr import OFFSET_DN
from cloudfree.datasets.sen12mscrts import SeriesFileName, parse_series_name
from cloudfree.inference.date_series import day_number

# Files of a patch by sensor and number of the date.
_Files = dict[tuple[str, int], tuple[SeriesFileName, Path]]


def list_time_series(paths: Iterable[Path], shown: int) -> tuple[list[Sample], list[Skipped]]:
    """The patches of SEN12MS-CR-TS among files, and those with too few dates to show so many."""
    samples, skipped = [], []
    for name, files in sorted(_by_patch(paths).items()):
        series = tuple(_dates(files))
        if len(series) <= shown:
            reason = f"{len(series)} dates, of {shown + 1} that are needed with the target"
            skipped.append(Skipped(name, reason))
            continue
        first, second = series[:2]
        place = next(iter(files.values()))[0].place
        samples.append(
            Sample(
                name, place, "", first.optical, second.optical, first.sar,
                offset_dn=OFFSET_DN, series=series, shown=shown,
            )
        )  # fmt: skip
    return samples, skipped


def _by_patch(paths: Iterable[Path]) -> dict[str, _Files]:
    patches: dict[str, _Files] = {}
    for path in paths:
        if found := parse_series_name(path.stem):
            files = patches.setdefault(f"{found.place}_{found.patch}", {})
            files[found.sensor, found.number] = found, path
    return patches


def _dates(files: _Files) -> Iterator[SampleDate]:
    """The dates that have an optical image, in their order."""
    for sensor, number in sorted(files):
        if sensor == "s2":
            (name, optical), radar = files[sensor, number], files.get(("s1", number))
            day = day_number(name.day, radar[0].day if radar else None)
            yield SampleDate(optical, radar[1] if radar else None, day)
