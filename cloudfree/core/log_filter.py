"""What pipelines say of single patches while they work through thousands of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("cloudfree")


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
