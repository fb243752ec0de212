"""Which dates are worth most: those that show what others do not, of a like season, and near."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

Bits = NDArray[np.bool_]
Item = TypeVar("Item")

# Fields change within weeks: after two months a date is worth a third.
LASTING_DAYS = 60.0
YEAR_DAYS = 365.25
# A date of which nothing is known may be of any year.
UNKNOWN_DAYS = 2 * YEAR_DAYS


def likeness(days: float | None) -> float:
    """How alike the ground is `days` later or earlier, from 1 (the same day) to 0.

    It falls with the age, and by up to a half with the distance in the year, as trees and shadows
    come back.
    """
    age = UNKNOWN_DAYS if days is None else abs(days)
    season = (3 + math.cos(2 * math.pi * age / YEAR_DAYS)) / 4
    return math.exp(-age / LASTING_DAYS) * season


@dataclass(eq=False)
class Ranked(Generic[Item]):
    """Something that may be chosen; `clear`, (y, x), is what it shows, None until it is known."""

    item: Item
    days: float | None
    clear: Bits | None = None

    def value(self, hidden: Float32, whole: float) -> tuple[float, float]:
        """What it adds where the ground is still hidden, then its likeness; at most so if unknown.

        `whole` is the sum of `hidden`. The likeness alone decides where nothing is hidden any more.
        """
        shown = whole if self.clear is None else _sum(hidden[self.clear])
        alike = likeness(self.days)
        return shown * alike, alike


def choose(
    items: Iterable[Ranked[Item]],
    hidden: Float32,
    most: int,
    look: Callable[[Item], Bits | None],
    take: Callable[[Item], bool],
) -> list[Item]:
    """Take the best items one after the other; those that are left are returned.

    `hidden`, (y, x), is the share of each pixel whose ground is hidden. `look` finds what an item
    shows, (y, x), or None to leave it out; as that takes long, only what may be the next best is
    looked at. `take` takes the best, or refuses it.
    """
    waiting, chosen, hidden = list(items), 0, hidden.copy()
    while waiting and chosen < most:
        whole = _sum(hidden)
        best = max(waiting, key=lambda one: one.value(hidden, whole))
        if best.clear is None:
            best.clear = look(best.item)
            if best.clear is None:
                waiting.remove(best)
            continue
        waiting.remove(best)
        if take(best.item):
            chosen += 1
            hidden[best.clear] = 0
    return [one.item for one in waiting]


def _sum(shares: Float32) -> float:
    return float(shares.sum(dtype=np.float64))
