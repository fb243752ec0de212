"""Means over cases as a table: all, by the age of the nearest reference, and by cover."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from cloudfree.commands.evaluate.series.fills import FILLS, OURS
from cloudfree.commands.evaluate.series.scoring import ScoredCase, Sources
from cloudfree.core.terminal import text_table

Measure = Literal["psnr", "sam", "mae"]

# Days to the nearest reference, and shares of a scene that are hidden, up to which groups reach.
DAYS = (15, 30, 60, 120)
COVERS = (0.25, 0.5)

TITLES: dict[Sources, str] = {
    "earlier": "filled from earlier dates",
    "both": "filled from earlier and later dates",
}
_MEASURES: dict[Measure, tuple[str, int]] = {
    "psnr": ("PSNR in dB", 2),
    "sam": ("SAM in degrees", 2),
    "mae": ("MAE", 4),
}


@dataclass(frozen=True)
class Row:
    """The mean of a measure over a group of cases, for each fill; None where it has none."""

    sources: Sources
    measure: Measure
    group: str
    cases: int
    means: dict[str, float | None]

    @property
    def title(self) -> str:
        """The measure of all cases, or the name of the group."""
        title = _MEASURES[self.measure][0]
        return f"{title}, {self.group}" if self.group == "all" else self.group

    def text(self, fill: str) -> str:
        """The mean of a fill; empty if it has none."""
        value = self.means[fill]
        return "" if value is None else f"{value:.{_MEASURES[self.measure][1]}f}"

    def is_best(self, fill: str) -> bool:
        """Whether no fill has a better mean: a higher PSNR, a lower SAM or MAE."""
        known = [value for value in self.means.values() if value is not None]
        best = (max if self.measure == "psnr" else min)(known, default=None)
        return best is not None and self.means[fill] == best


Group = tuple[str, Callable[[ScoredCase], bool]]


def groups() -> Iterator[Group]:
    """Names of groups, and what belongs to each."""
    yield "all", lambda _: True
    for low, high in zip((-math.inf, *DAYS), (*DAYS, math.inf), strict=True):
        name = f"{DAYS[-1] + 1} days and more" if high == math.inf else f"up to {high} days"
        yield name, partial(_aged, low, high)
    for low, high in zip((0.0, *COVERS), (*COVERS, math.inf), strict=True):
        name = f"{low:.0%} and more hidden" if high == math.inf else f"below {high:.0%} hidden"
        yield name, partial(_covered, low, high)


def _aged(low: float, high: float, case: ScoredCase) -> bool:
    return low < case.nearest_days <= high


def _covered(low: float, high: float, case: ScoredCase) -> bool:
    return low <= case.cover_share < high


def rows(cases: Sequence[ScoredCase]) -> Iterator[Row]:
    """Mean PSNR of each group of the cases of each kind of sources, and SAM and MAE of all."""
    for sources in dict.fromkeys(case.sources for case in cases):
        own = [case for case in cases if case.sources == sources]
        for group, belongs in groups():
            if chosen := [case for case in own if belongs(case)]:
                yield _row(sources, "psnr", group, chosen)
        yield _row(sources, "sam", "all", own)
        yield _row(sources, "mae", "all", own)


def _row(sources: Sources, measure: Measure, group: str, cases: Sequence[ScoredCase]) -> Row:
    means = {fill: _mean(cases, fill, measure) for fill in FILLS}
    return Row(sources, measure, group, len(cases), means)


def _mean(cases: Sequence[ScoredCase], fill: str, measure: Measure) -> float | None:
    values = [getattr(case.figures[fill], measure) for case in cases]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def series_table(cases: Sequence[ScoredCase], table: Sequence[Row]) -> str:
    """A table for each kind of sources, and below it how our errors and the worst case are."""
    return "\n\n".join(
        _table(
            TITLES[sources],
            [case for case in cases if case.sources == sources],
            [row for row in table if row.sources == sources],
        )
        for sources in dict.fromkeys(row.sources for row in table)
    )


def _table(title: str, cases: Sequence[ScoredCase], table: Sequence[Row]) -> str:
    heads = [title, "cases", *FILLS]
    lines = [[row.title, str(row.cases), *map(row.text, FILLS)] for row in table]
    return f"{text_table(heads, lines)}\n{_errors(cases)}\n{_worst(cases)}"


def _errors(cases: Sequence[ScoredCase]) -> str:
    one, two = (
        sum(shares) / len(cases)
        for shares in zip(*((case.within_1, case.within_2) for case in cases), strict=True)
    )
    return f"errors of {OURS} within one expected deviation {one:.1%}, within two {two:.1%}"


def _worst(cases: Sequence[ScoredCase]) -> str:
    worst = min(cases, key=lambda case: case.over_gain_db)
    return f"worst against gain: {worst.over_gain_db:+.2f} dB, {worst.name}"
