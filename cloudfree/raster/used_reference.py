"""Another date that a result is filled from, as a value and as tags of its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import PurePosixPath

from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.raster.tag_numbers import tag_number, tag_numbers, tag_share


@dataclass(frozen=True, kw_only=True)
class UsedReference:
    """Another date and what came from it; None where unknown.

    `path` is relative to the folder of the result; `days` counts from the scene, negative for
    earlier dates; `shift` is in pixels of the scene. `shows` is the share of what is hidden that
    it shows, `share` that of the filled pixels that it filled. `error` is the root mean square
    error, in reflectance, of what it says of clear ground that was hidden for it.
    """

    path: PurePosixPath
    acquired: datetime | None = None
    days: float | None = None
    shift: Shift = NO_SHIFT
    shift_reason: str = ""
    shows: float | None = None
    share: float | None = None
    error: float | None = None
    with_radar: bool = False

    def summary(self, number: int) -> str:
        """One line of text."""
        days = "" if self.days is None else f", {self.days:+.0f} days"
        filled = "" if self.share is None else f", filled {self.share:.0%}"
        error = "" if self.error is None else f", error {self.error:.4f}"
        return f"reference {number}: {self.path.name}{days}{filled}{error}"

    def to_tags(self, number: int) -> dict[str, str]:
        """Tags of the reference of that number, from 1 on; what is unknown has none."""
        texts = {
            "": self.path.as_posix(),
            "_SENSED": self.acquired.isoformat() if self.acquired else "",
            "_DAYS": _text(self.days, ".2f"),
            "_SHIFT_PX": f"{self.shift.row:.3f},{self.shift.col:.3f}",
            "_SHIFT_REASON": self.shift_reason,
            "_SHOWS": _text(self.shows, ".4f"),
            "_SHARE": _text(self.share, ".4f"),
            "_ERROR": _text(self.error, ".5f"),
            "_RADAR": "yes" if self.with_radar else "no",
        }
        return {f"{_prefix(number)}{name}": text for name, text in texts.items() if text}


def _prefix(number: int) -> str:
    return f"CLOUDFREE_REFERENCE_{number}"


def _text(value: float | None, digits: str) -> str:
    return "" if value is None else format(value, digits)


def references_from_tags(tags: Mapping[str, str]) -> tuple[UsedReference, ...]:
    """The references in the tags of a file, in the order of their numbers; damaged ones unknown."""
    return tuple(_references(tags))


def _references(tags: Mapping[str, str]) -> Iterator[UsedReference]:
    for number in count(1):
        prefix = _prefix(number)
        if prefix not in tags:
            return
        found = {
            name.removeprefix(prefix): text
            for name, text in tags.items()
            if name.startswith(f"{prefix}_")
        }
        yield UsedReference(
            path=PurePosixPath(tags[prefix]),
            acquired=_time(found.get("_SENSED", "")),
            days=tag_number(found.get("_DAYS")),
            shift=_shift(found.get("_SHIFT_PX", "")),
            shift_reason=found.get("_SHIFT_REASON", ""),
            shows=tag_share(found.get("_SHOWS")),
            share=tag_share(found.get("_SHARE")),
            error=tag_number(found.get("_ERROR"), low=0.0),
            with_radar=found.get("_RADAR") == "yes",
        )


def _shift(text: str) -> Shift:
    parts = tag_numbers(text)
    return Shift(*parts) if len(parts) == 2 else NO_SHIFT


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
