"""The other dates that a result is filled from, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.mask_classes import FILL_COLOURS, REFERENCE_CLASSES
from cloudfree.raster.used_reference import UsedReference
from cloudfree.report.comparison import percent
from cloudfree.report.pictures import Rgb

UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True)
class ReferenceRow:
    """One other date in words, with its colour on the map of filled pixels."""

    number: int
    colour: Rgb
    name: str
    day: str
    days: str
    shift: str
    shift_reason: str
    shows: str
    filled: str
    error: str
    radar: str


def reference_rows(references: Sequence[UsedReference]) -> tuple[ReferenceRow, ...]:
    """The rows, in the order of the numbers; a dash stands for what is unknown."""
    numbered = enumerate(zip(REFERENCE_CLASSES, references, strict=False), start=1)
    return tuple(_row(number, FILL_COLOURS[one], used) for number, (one, used) in numbered)


def _row(number: int, colour: Rgb, used: UsedReference) -> ReferenceRow:
    moved = f"{used.shift.row:+.2f}, {used.shift.col:+.2f}"
    return ReferenceRow(
        number=number,
        colour=colour,
        name=used.path.name,
        day=f"{used.acquired:%Y-%m-%d}" if used.acquired else UNKNOWN,
        days=UNKNOWN if used.days is None else f"{used.days:+.0f}",
        shift="none" if used.shift == NO_SHIFT else moved,
        shift_reason=used.shift_reason.removeprefix("none: "),
        shows=UNKNOWN if used.shows is None else percent(used.shows),
        filled=UNKNOWN if used.share is None else percent(used.share),
        error=UNKNOWN if used.error is None else f"{used.error:.4f}",
        radar="yes" if used.with_radar else "no",
    )
