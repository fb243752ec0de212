"""Log messages of a block of work: kept for somebody else, or muted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("cloudfree")


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
