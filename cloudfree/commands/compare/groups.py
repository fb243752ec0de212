"""Groups of patches: by cloud cover, and by the days between their images."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from cloudfree.commands.compare.results import ModelResult, PatchScore, Results
from cloudfree.datasets.patch import PatchDates
from cloudfree.errors import ErrorCode, InputError
from cloudfree.metrics.cover_bins import bin_name, cover_bin

# Names of patches by the name of their group.
Groups = Mapping[str, frozenset[str]]

Patches = Mapping[str, PatchScore]

# Two images of a patch, and what lies between them.
GAPS = {
    "cloudy and clear": ("cloudy", "clear"),
    "radar and cloudy": ("sar", "cloudy"),
    "radar and clear": ("sar", "clear"),
}
DATE_COLUMNS = {"s1": "sar", "s2_cloudy": "cloudy", "s2_clear": "clear"}


def by_cover(patches: Patches, bins: int) -> Groups:
    """Patches by bins of cloud cover."""
    return {
        bin_name(index, bins): frozenset(
            name for name, one in patches.items() if cover_bin(one.cover, bins) == index
        )
        for index in range(bins)
    }


def by_gap(patches: Patches, images: tuple[str, str], last_days: tuple[int, ...]) -> Groups:
    """Patches by the days between two of their images, up to each of `last_days` and beyond.

    Patches without both dates are in none, and groups without patches are left out.
    """
    days = {name: one.dates.days(*images) for name, one in patches.items()}
    firsts = (0, *(last + 1 for last in last_days))
    groups = {}
    for first, last in zip(firsts, (*last_days, None), strict=True):
        inside = frozenset(
            name
            for name, gap in days.items()
            if gap is not None and gap >= first and (last is None or gap <= last)
        )
        if inside:
            groups[f"{first}-{last} days" if last is not None else f"{first} days and more"] = (
                inside
            )
    return groups


def parse_days(text: str) -> tuple[int, ...]:
    """The last days of groups, such as `7,14,28`.

    Raises
    ------
    InputError
        They are no whole numbers, or do not rise.
    """
    parts = [part.strip() for part in text.split(",")]
    days = tuple(int(part) for part in parts if part.isdecimal())
    if len(days) < len(parts) or sorted(set(days)) != list(days):
        raise InputError(
            f"--gap-days {text}",
            wanted="rising whole numbers with commas between, such as 7,14,28",
            hint="correct --gap-days",
            code=ErrorCode.BAD_OPTION,
        )
    return days


def with_dates(results: Results, file: Path) -> Results:
    """Results with the dates of a CSV file: columns name, s1, s2_cloudy and s2_clear.

    A name is that of a patch, or of a place for all its patches; those that it does not name keep
    what they have.

    Raises
    ------
    InputError
        The file cannot be understood, or names nothing that is there.
    """
    dates = read_dates(file)
    known = {
        name
        for found in results.models.values()
        for one in found
        for patch, score in one.patches.items()
        for name in (patch, score.place)
    }
    if not known & dates.keys():
        raise InputError(
            f"no patch or place of the results among the {len(dates)} names in {file.name}",
            wanted=f"names such as {min(known)}",
            hint="correct the file that --dates names",
            code=ErrorCode.BAD_OPTION,
        )
    models = {
        label: tuple(_dated(one, dates) for one in found) for label, found in results.models.items()
    }
    return replace(results, models=models)


def _dated(result: ModelResult, dates: Mapping[str, PatchDates]) -> ModelResult:
    patches = {
        name: replace(one, dates=dates.get(name, dates.get(one.place, one.dates)))
        for name, one in result.patches.items()
    }
    return replace(result, patches=patches)


def read_dates(file: Path) -> dict[str, PatchDates]:
    """The dates of a CSV file by name.

    Raises
    ------
    InputError
        It cannot be read, lacks a column, or has something else than days.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return {row["name"]: _dates(row) for row in csv.DictReader(stream)}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{file.name} cannot be read ({type(error).__name__}: {error})",
            wanted="CSV with the columns name, s1, s2_cloudy and s2_clear, of days such as "
            "2018-06-05 or empty",
            hint="correct the file that --dates names",
            code=ErrorCode.BAD_OPTION,
        ) from error


def _dates(row: Mapping[str, str]) -> PatchDates:
    days = {own: (row[column] or "").strip() for column, own in DATE_COLUMNS.items()}
    for day in filter(None, days.values()):
        date.fromisoformat(day)
    return PatchDates(**days)
