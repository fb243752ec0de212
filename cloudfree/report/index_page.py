"""The index of a folder of results: a card for each, and the scenes that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudfree.report.class_shares import ClassShare
from cloudfree.report.page import render_template
from cloudfree.report.page_size import FRAME_BYTES, MB

# What a card has besides its pictures.
CARD_BYTES = 3_000
# Fewer bytes hold no pictures that are worth a look.
LEAST_PICTURES_BYTES = 4_000


@dataclass(frozen=True)
class Thumbnail:
    """A small picture inside the page; `uri` is its data."""

    label: str
    caption: str
    uri: str


@dataclass(frozen=True)
class IndexEntry:
    """One result: `page` is the file of its page beside the index, None if there is none.

    `filled` and `unfilled` are shares of the valid pixels, None if unknown, and `shares` those of
    the classes; all three are by overviews and so approximate.
    """

    title: str
    thumbnails: tuple[Thumbnail, ...]
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


def thumbnail_bytes(results: int, largest_mb: float) -> int:
    """How many bytes the pictures of each of so many results may take; 0 if there is no room."""
    share = int((largest_mb * MB - FRAME_BYTES) / max(results, 1)) - CARD_BYTES
    return share if share >= LEAST_PICTURES_BYTES else 0


def render_index(
    title: str,
    entries: Sequence[IndexEntry],
    failures: Sequence[FailedScene],
    version: str,
    largest_mb: float,
) -> str:
    """The page of a folder, whose entries have thumbnails of at most `thumbnail_bytes` each."""
    return render_template(
        "index.html",
        styles=("index.css",),
        script="index.js",
        title=title,
        entries=entries,
        failures=failures,
        version=version,
        largest_mb=largest_mb,
        crowded=not thumbnail_bytes(len(entries), largest_mb),
    )
