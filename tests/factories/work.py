"""Work for processes that need nothing but Python: a process imports where its work stands."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from uuid import uuid4

from tests.factories.patience import PATIENCE_S


def doubled(number: int) -> tuple[int, int]:
    """Twice the number, and the process; a negative number is its exit code."""
    if number < 0:
        os._exit(-number)
    return 2 * number, os.getpid()


def killed_or_doubled(number: int) -> tuple[int, int]:
    """Twice the number, and the process; with a negative number it is killed."""
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(number)


def meet(place: tuple[Path, int]) -> int:
    """Wait until as many are at work at the same time; how many were there."""
    folder, number = place
    (folder / uuid4().hex).touch()
    start = time.monotonic()
    while len(list(folder.iterdir())) < number and time.monotonic() - start < PATIENCE_S:
        time.sleep(0.01)
    return len(list(folder.iterdir()))


def work_on(file: Path) -> None:
    """Ten minutes of work that ends with a file, however it ends."""
    try:
        file.write_text(str(os.getpid()))
        time.sleep(600)
    finally:
        file.with_suffix(".gone").touch()


def waiting(mark: str) -> None:
    """Write the number of the process to a file, and wait until it is stopped."""
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)
