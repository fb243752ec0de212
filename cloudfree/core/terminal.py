"""Progress, timed blocks, captured and muted log messages, text tables."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

logger = logging.getLogger("cloudfree")

Step = TypeVar("Step")


class Progress(Protocol):
    """Iterates over steps and shows how many of `total` are done.

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
def timed(what: str) -> Iterator[None]:
    """Log as a detail how long a block took."""
    begun = time.monotonic()
    yield
    logger.debug("%s: %.1f s", what, time.monotonic() - begun)


@contextmanager
def captured_warnings(details: list[str] | None = None) -> Iterator[list[str]]:
    """Collect the warnings of a block, and other messages in `details`; log nothing."""
    collected = list[str]()
    handlers, propagate, level = logger.handlers[:], logger.propagate, logger.level
    logger.handlers[:], logger.propagate = [_Collector(collected, details)], False
    if details is not None:
        logger.setLevel(logging.DEBUG)
    try:
        yield collected
    finally:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


class _Collector(logging.Handler):
    def __init__(self, collected: list[str], details: list[str] | None) -> None:
        super().__init__(logging.WARNING if details is None else logging.DEBUG)
        self._collected, self._details = collected, details

    def emit(self, record: logging.LogRecord) -> None:
        """Collect a message."""
        kept = self._collected if record.levelno >= logging.WARNING else self._details
        if kept is not None:
            kept.append(record.getMessage())


@contextmanager
def muted_log() -> Iterator[None]:
    """Mute everything below errors, such as messages on each of thousands of patches."""

    def is_error(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR

    logger.addFilter(is_error)
    try:
        yield
    finally:
        logger.removeFilter(is_error)


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A header line and one line for each row, every column as wide as its longest text."""
    lines = [headers, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
