"""What is known of a patch before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.core.window import Window


@dataclass(frozen=True)
class Sample:
    """One patch of a data set: a cloudy and a clear image of the same ground, perhaps with SAR.

    Samples of one `place` show the same ground or its surroundings: they belong on one side of any
    split. `season` is empty where the data set tells none. `window` is the part of the files that
    the patch is, or None for all of them. `offset_dn` is what is added to the digital numbers;
    None leaves it to the evidence in each file.
    """

    name: str
    place: str
    season: str
    cloudy: Path
    clear: Path
    sar: Path | None
    window: Window | None = None
    offset_dn: float | None = None

    @property
    def has_cloudy(self) -> bool:
        """Whether there is a cloudy image; else the clear one stands in its place."""
        return self.cloudy != self.clear


@dataclass(frozen=True)
class Skipped:
    """A patch that cannot be used, and why."""

    name: str
    reason: str
