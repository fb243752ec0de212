"""Options and result of `cloudfree search`."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cloudfree.commands.options import Bounds
from cloudfree.core.acquisition import MAX_GAP_DAYS
from cloudfree.core.choices import MAX_REFERENCES
from cloudfree.errors import ErrorCode, InputError

# Near dates show the ground as it is; more would be thousands of items.
SEARCHED_DAYS = 90.0

Role = Literal["scene", "reference"]


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The options of `cloudfree search`; names equal its parameters.

    `bbox` is west, south, east and north in degrees, `date` a day or two with a slash between, in
    UTC. `references` is how many other dates are listed at most, `max_age` days from the scene;
    `max_gap` is in days between Sentinel-2 and its Sentinel-1, `max_cloud` in per cent.

    Raises
    ------
    InputError
        A number or an edge out of range.
    """

    api: str
    bbox: Bounds
    date: str
    references: int = 4
    max_cloud: float = 80.0
    max_gap: float = MAX_GAP_DAYS
    max_age: float = SEARCHED_DAYS
    s2_collection: str = "sentinel-2-l2a"
    s1_collection: str = "sentinel-1-rtc"

    def __post_init__(self) -> None:
        if not 0 <= self.references <= MAX_REFERENCES:
            raise InputError(
                f"--references {self.references}",
                wanted=f"0 to {MAX_REFERENCES}",
                hint="4 are enough for most clouds",
                code=ErrorCode.BAD_OPTION,
            )


@dataclass(frozen=True)
class FoundScene:
    """A Sentinel-2 item with its Sentinel-1 item, by their addresses; None without one.

    `cloud_cover` is in per cent, None if unknown, `coverage` the share of the area that the item
    covers, 0 to 1, `gap_days` the time between both.
    """

    name: str
    role: Role
    s2: str
    s1: str | None
    acquired: datetime
    cloud_cover: float | None
    coverage: float
    gap_days: float | None

    def words(self) -> str:
        """One line of text."""
        cloud = "" if self.cloud_cover is None else f", {self.cloud_cover:.0f} % cloud"
        radar = "no Sentinel-1 near" if self.s1 is None else f"Sentinel-1 {self.gap_days:.1f} days"
        when = f"{self.acquired:%Y-%m-%d}"
        return f"{self.role} {self.name} of {when}: covers {self.coverage:.0%}{cloud}, {radar}"


@dataclass(frozen=True)
class SearchResult:
    """The scene, and then its references, the best first."""

    scenes: tuple[FoundScene, ...]

    def summary(self) -> str:
        """The list as `cloudfree batch` reads it."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("s2", "s1", "name"))
        table.writerows((one.s2, one.s1 or "", one.name) for one in self.scenes)
        return text.getvalue().rstrip("\n")
