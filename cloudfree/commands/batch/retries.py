"""Scenes that failed for a reason that may pass are tried again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from cloudfree.commands.batch.options import SceneOutcome
from cloudfree.commands.batch.workers import SceneJob
from cloudfree.errors import CloudfreeError

logger = logging.getLogger("cloudfree")

# What runs jobs: the outcomes of all, as they end.
Runner = Callable[[Sequence[SceneJob]], AbstractContextManager[Iterator[SceneOutcome]]]

# Seconds before the first retry; each pause is twice the one before, up to the longest.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 600.0


def pause_s(attempt: int) -> float:
    """Seconds between an attempt, counted from 1, and the next."""
    return min(FIRST_PAUSE_S * 2.0 ** (attempt - 1), LONGEST_PAUSE_S)


def with_retries(
    run: Runner,
    jobs: Sequence[SceneJob],
    retries: int,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[SceneOutcome, None, None]:
    """The last outcome of each job, as it comes: a failure only where no attempt is left.

    A round of attempts begins when all scenes of the round before have ended, so that what the
    others took, such as memory, is free.

    Raises
    ------
    CloudfreeError
        The first round cannot begin; if a later one cannot, the failures stand.
    """
    failed = yield from _attempt(run, jobs, 1, retries)
    for attempt in range(2, retries + 2):
        if not failed:
            return
        logger.info("%d to be tried again in %.0f s", len(failed), pause_s(attempt - 1))
        sleep(pause_s(attempt - 1))
        again = [job.again() for job in jobs if job.name in failed]
        try:
            failed = yield from _attempt(run, again, attempt, retries)
        except CloudfreeError as error:
            logger.warning("no attempt %d: %s", attempt, error)
            yield from failed.values()
            return


def _attempt(
    run: Runner, jobs: Sequence[SceneJob], attempt: int, retries: int
) -> Generator[SceneOutcome, None, dict[str, SceneOutcome]]:
    """Yield the outcomes that stand, and return the failures that are tried again, by name."""
    failed: dict[str, SceneOutcome] = {}
    with run(jobs) as outcomes:
        for outcome in outcomes:
            tried = replace(outcome, attempts=attempt)
            if not outcome.retry or attempt > retries:
                yield tried
                continue
            failed[tried.name] = tried
            message = "%s: attempt %d failed: %s"
            logger.warning(message, tried.name, attempt, tried.message, extra={"scene": tried.name})
    return failed
