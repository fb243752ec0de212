"""Long work of libraries in a child process: it can be ended at any moment, and watched.

Code that traces networks neither returns to Python for minutes nor ends when it is asked to.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import RLock
from typing import Any, TypeVar

from tqdm import tqdm

from cloudfree.errors import CloudfreeError, ErrorCode, ModelError

Outcome = TypeVar("Outcome")
# Takes the name of the stage that begins.
Stage = Callable[[str], None]

logger = logging.getLogger("cloudfree")

# A forked process would have the locks of this process's threads without the threads.
_CONTEXT = get_context("spawn")

# Seconds before the first line on the work, and between two.
FIRST_S, NEXT_S = 10.0, 60.0
# Seconds that the process has to leave after it has sent its outcome.
LEAVE_S = 10.0


def in_child_process(work: Callable[..., Outcome], *arguments: Any) -> Outcome:
    """The outcome of `work(*arguments, stage)`; lines of the log say which stage it is at.

    `work` is a module-level function; arguments and outcome can be pickled. Whatever ends this
    function ends the process.

    Raises
    ------
    CloudfreeError, OSError
        As `work` does, or because the process was ended from outside.
    """
    pipe, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_serve, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()  # else no EOFError comes when the process has ended
    try:
        outcome: Outcome = _watched(pipe)
        process.join(LEAVE_S)
    except EOFError as error:
        process.join()
        raise _ended(process.exitcode) from error
    finally:
        process.kill()
        process.join()
        pipe.close()
    return outcome


def _watched(pipe: Connection) -> Any:
    """What the process sends at its end; meanwhile its messages, and a line now and then."""
    begun, due, stage = time.monotonic(), FIRST_S, "starting"
    while True:
        elapsed = time.monotonic() - begun
        if elapsed >= due:
            logger.info("%s, %.0f s so far", stage, elapsed)
            due = elapsed + NEXT_S
        if not pipe.poll(max(0.0, min(due - elapsed, NEXT_S))):
            continue
        kind, content = pipe.recv()
        if kind == "stage":
            stage = content
        elif kind == "message":
            logger.log(*content)
        elif kind == "error":
            raise content
        else:
            return content


def _ended(code: int | None) -> ModelError:
    return ModelError(
        f"a process that ended without a result (exit code {code})",
        wanted="its result",
        hint="try again with more memory: it may have run out of it",
        code=ErrorCode.WORKER_LOST,
    )


def _serve(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The main function of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, for all: the parent decides
    # torch opens a bar, whose lock between processes would outlive a process that is killed.
    tqdm.set_lock(RLock())
    logger.setLevel(logging.DEBUG)
    logger.handlers[:], logger.propagate = [_Sender(pipe)], False
    try:
        outcome = work(*arguments, lambda name: pipe.send(("stage", name)))
    except (CloudfreeError, OSError, MemoryError) as error:
        pipe.send(("error", error))
    else:
        pipe.send(("outcome", outcome))


class _Sender(logging.Handler):
    """Sends messages to the parent, which decides whether they are shown."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """Send a message."""
        self._pipe.send(("message", (record.levelno, "%s", record.getMessage())))
