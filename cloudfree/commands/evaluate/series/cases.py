"""Clear dates of a place, hidden by the clouds that lay over it on other dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.commands.options import ReferenceOptions
from cloudfree.commands.remove.references.ranking import Ranked, choose
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.observation import Where
from cloudfree.gapfilling.stack import ArrayStack, ReferenceInfo

# Share of a date that is hidden at most, to be the truth or a last clear scene.
CLEAR_SHARE = 0.05
# Share of a date that is hidden, for its clouds to be laid over others: less says little, and more
# leaves nothing to fit on.
MIN_COVER, MAX_COVER = 0.1, 0.8
# Covers of each clear date.
COVERS = 2
# Share of clear ground of another date, so that it helps.
LEAST_SEEN = 0.02


@dataclass(frozen=True)
class Date:
    """One date: days from any day on, reflectance (band, y, x) and radar in dB, NaN for no data.

    `hidden`, (y, x), is where its mask has cloud or shadow.
    """

    name: str
    day: float
    image: Float32
    hidden: Where
    radar: Float32 | None = None

    @property
    def clear(self) -> Float32:
        """Reflectance, NaN where the ground is hidden."""
        return np.where(self.hidden, np.float32(np.nan), self.image)

    @property
    def cover(self) -> float:
        """Share that is hidden or without data."""
        return float((self.hidden | np.isnan(self.image).any(axis=0)).mean())


@dataclass(frozen=True)
class Case:
    """A clear date under clouds of another, and the other dates that may fill it, nearest first.

    `scored`, (y, x), are hidden pixels of which the truth is known.
    """

    truth: Date
    cover: Date
    others: tuple[Date, ...]

    @property
    def name(self) -> str:
        """Both dates."""
        return f"{self.truth.name} under {self.cover.name}"

    @property
    def scored(self) -> Where:
        """Hidden pixels whose truth is known, (y, x)."""
        return self.cover.hidden & ~np.isnan(self.truth.clear).any(axis=0)

    @property
    def today(self) -> Float32:
        """What is seen, (band, y, x)."""
        return np.where(self.cover.hidden, np.float32(np.nan), self.truth.clear)

    def days(self, other: Date) -> float:
        """Days from the truth to another date."""
        return other.day - self.truth.day

    @property
    def clear_others(self) -> tuple[Date, ...]:
        """Other dates without clouds, nearest first."""
        return tuple(other for other in self.others if other.cover <= CLEAR_SHARE)

    def stack(self, bands: tuple[str, ...]) -> ArrayStack:
        """The case as what fills gaps takes it."""
        return ArrayStack(
            bands,
            self.today,
            tuple(ReferenceInfo(other.name, bands, self.days(other)) for other in self.others),
            tuple(other.clear for other in self.others),
            self.truth.radar,
            tuple(other.radar for other in self.others),
        )


def cases(dates: Sequence[Date], earlier_only: bool) -> Iterator[Case]:
    """Each clear date under the clouds of two others, with those dates that see below them.

    A clear date needs another one to be filled from. Covers are taken in turn, so that each is used
    about equally often.
    """
    covers = [one for one in dates if MIN_COVER <= one.cover <= MAX_COVER]
    turn = 0
    for truth in (one for one in dates if one.cover <= CLEAR_SHARE):
        others = _others(truth, dates, earlier_only)
        laid = [cover for cover in covers if cover is not truth]
        if not laid or not any(other.cover <= CLEAR_SHARE for other in others):
            continue
        for _ in range(min(COVERS, len(laid))):
            cover = laid[turn % len(laid)]
            turn += 1
            # A date does not help to see below its own clouds.
            yield Case(truth, cover, tuple(one for one in others if one is not cover))


def _others(truth: Date, dates: Sequence[Date], earlier_only: bool) -> list[Date]:
    allowed = [
        one for one in dates
        if one is not truth and (one.day < truth.day or not earlier_only)
        and 1 - one.cover >= LEAST_SEEN
    ]  # fmt: skip
    return sorted(allowed, key=lambda one: abs(one.day - truth.day))


def best_others(case: Case, most: int = ReferenceOptions.max_references) -> Case:
    """The case with the other dates that `remove` would choose, the best first."""
    chosen: list[Date] = []

    def take(other: Date) -> bool:
        chosen.append(other)
        return True

    def clear(other: Date) -> Where | None:
        seen = ~np.isnan(other.clear).any(axis=0)
        return np.asarray(seen) if (seen & hidden).any() else None

    hidden = case.truth.hidden | case.cover.hidden
    ranked = [Ranked(other, case.days(other)) for other in case.others]
    choose(ranked, hidden.astype(np.float32), most, clear, take)
    return replace(case, others=tuple(chosen))
