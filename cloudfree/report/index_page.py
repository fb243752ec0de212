"""The index of a folder of results: a card for each, and the scenes that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloudfree.report.class_shares import ClassShare
from cloudfree.report.embedding import fitted
from cloudfree.report.page import render_template
from cloudfree.report.page_size import FRAME_BYTES, MB
from cloudfree.report.pictures import Picture

# What a card has besides its pictures.
CARD_BYTES = 3_000
# Fewer bytes hold no pictures that are worth a look.
LEAST_PICTURES_BYTES = 4_000


@dataclass(frozen=True)
class IndexEntry:
    """One result: `page` is the file of its page beside the index, None if there is none.

    `filled` and `unfilled` are shares of the valid pixels, None if unknown, and `shares` those of
    the classes; all three are by overviews and so approximate.
    """

    title: str
    pictures: tuple[Picture, ...]
    filled: float | None
    unfilled: float | None
    shares: tuple[ClassShare, ...]
    references: int
    warnings: tuple[str, ...]
    page: str | None = None

    @property
    def cover(self) -> float | None:
        """Share of the valid pixels below clouds and shadows."""
        if self.filled is None or self.unfilled is None:
            return None
        return self.filled + self.unfilled


@dataclass(frozen=True)
class FailedScene:
    """A scene without a result or a page; `ended` is a time in ISO 8601, empty if unknown."""

    name: str
    code: str
    message: str
    ended: str = ""


def render_index(
    title: str,
    entries: Sequence[IndexEntry],
    failures: Sequence[FailedScene],
    version: str,
    largest_mb: float,
) -> str:
    """The page; its pictures are as small as it takes to fit, or left out."""
    return render_template(
        "index.html",
        styles=("index.css",),
        script="index.js",
        title=title,
        entries=_fitted(entries, largest_mb),
        failures=failures,
        version=version,
        largest_mb=largest_mb,
    )


def _fitted(entries: Sequence[IndexEntry], largest_mb: float) -> list[IndexEntry]:
    share = int((largest_mb * MB - FRAME_BYTES) / max(len(entries), 1)) - CARD_BYTES
    if share < LEAST_PICTURES_BYTES:
        return [replace(one, pictures=()) for one in entries]
    return [replace(one, pictures=fitted(one.pictures, share)) for one in entries]
