"""What people at a terminal see: progress, log messages, tables of text."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

logger = logging.getLogger("cloudfree")

Step = TypeVar("Step")


class Progress(Protocol):
    """Passes steps through and shows how many of `total` are done.

    `what` names the work and `unit` one of its steps: such as "cloud mask" and "strip".
    """

    def __call__(
        self, steps: Iterable[Step], total: int, what: str, unit: str = "step"
    ) -> Iterator[Step]:
        """Yield the steps unchanged."""
        ...


def silent(steps: Iterable[Step], total: int, what: str, unit: str = "step") -> Iterator[Step]:
    """Pass the steps through and show nothing."""
    del total, what, unit
    yield from steps


@contextmanager
def captured_warnings() -> Iterator[list[str]]:
    """The warnings of the block instead of all that it would say."""
    logger, kept = logging.getLogger("cloudfree"), list[str]()
    handlers, propagate = logger.handlers[:], logger.propagate
    logger.handlers[:], logger.propagate = [_Keeper(kept)], False
    try:
        yield kept
    finally:
        logger.handlers[:], logger.propagate = handlers, propagate


class _Keeper(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        self._kept.append(record.getMessage())


@contextmanager
def muted_log() -> Iterator[None]:
    """Keep back what is said of single patches: of thousands it would drown the rest."""

    def keep_back(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR

    logger.addFilter(keep_back)
    try:
        yield
    finally:
        logger.removeFilter(keep_back)


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A line of heads and one for each row, every column as wide as its longest text."""
    lines = [heads, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
