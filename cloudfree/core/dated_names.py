"""Days in the names of files, such as s2_20180531.tif or patch_2018-05-31.tif."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import PurePath

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.iso_time import NOON

_DAY = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<between>[-_]?)(?P<month>\d\d)(?P=between)(?P<day>\d\d)(?!\d)"
)


def day_in_name(name: str) -> datetime | None:
    """Noon, UTC, of the first day in a name; None if it has none."""
    for match in _DAY.finditer(name):
        year, month, day = (int(match[part]) for part in ("year", "month", "day"))
        try:
            return datetime.combine(date(year, month, day), NOON)
        except ValueError:  # such as a month 13
            continue
    return None


def dated(acquisition: Acquisition, path: PurePath) -> Acquisition:
    """The acquisition, with the day in the name of its file if it has no date."""
    if acquisition.acquired:
        return acquisition
    return replace(acquisition, acquired=day_in_name(path.name))
