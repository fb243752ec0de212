"""Work for a child process that names its stages."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from cloudfree.errors import ErrorCode, ModelError
from tests.factories.patience import PATIENCE_S

Stage = Callable[[str], None]


def doubled(number: int, stage: Stage) -> tuple[int, int]:
    """Twice the number, and the process."""
    stage("doubling")
    logging.getLogger("cloudfree").info("doubling %d", number)
    return 2 * number, os.getpid()


def failing(stage: Stage) -> None:
    """An error of the family."""
    stage("failing")
    raise ModelError("a", wanted="b", hint="c", code=ErrorCode.MISSING_BAND)


def full_disk(stage: Stage) -> None:
    """An error of the system."""
    stage("writing")
    raise OSError(28, "No space left on device")


def ended(code: int, stage: Stage) -> None:
    """An end in the middle, as of a process that is killed."""
    stage("ending")
    os._exit(code)


def waiting(file: Path, stage: Stage) -> None:
    """Work that goes on until there is a file."""
    stage("waiting for a file")
    start = time.monotonic()
    while not file.exists() and time.monotonic() - start < PATIENCE_S:
        time.sleep(0.01)
