"""Progress on stderr: a bar on a terminal, lines of the log elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cloudfree.core.terminal import Progress

Step = TypeVar("Step")

logger = logging.getLogger("cloudfree")
# A logger of its own: training mutes messages, but not this.
lines_logger = logging.getLogger("cloudfree.progress")

# Seconds before the first line, between two, and at most between two; and the share of the steps
# between two. A long run neither floods its log nor leaves it empty.
FIRST_S, LEAST_S, MOST_S, LEAST_SHARE = 10.0, 60.0, 600.0, 0.1

# Seconds below which no one looks for time that was lost.
LEAST_DETAIL_S = 0.1

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def progress_on_stderr(as_lines: bool) -> Progress:
    """How a command shows its progress: a bar on a terminal, unless lines are wanted there too."""
    return _lines if as_lines or not sys.stderr.isatty() else _bar


def _bar(steps: Iterable[Step], total: int, what: str, unit: str = "step") -> Iterator[Step]:
    """A bar; where a step takes longer than a second, with how many come in an hour."""
    from tqdm import tqdm

    pace = Pace(total, what)
    with tqdm(total=total, desc=what, unit=f" {unit}", leave=False) as bar:
        for done, step in enumerate(steps, start=1):
            yield step
            if pace.is_slow(done):
                bar.set_postfix_str(pace.rate(done))
            bar.update()
    pace.log_duration(total)


def _lines(steps: Iterable[Step], total: int, what: str, unit: str = "step") -> Iterator[Step]:
    """A line of the log now and then."""
    del unit
    pace = Pace(total, what)
    for done, step in enumerate(steps, start=1):
        yield step
        if pace.is_due(done):
            lines_logger.info(pace.line(done))
    pace.log_duration(total)


class Pace:
    """How fast the steps of some work come, when that is worth a line, and its words."""

    def __init__(self, total: int, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._what, self._clock = max(total, 1), what, clock
        self._begun = clock()
        self._line_s, self._line_done = 0.0, 0

    @property
    def _elapsed_s(self) -> float:
        return self._clock() - self._begun

    def is_due(self, done: int) -> bool:
        """Whether a line is due after `done` steps; there is none after the last step."""
        elapsed = self._elapsed_s
        if done >= self._total or elapsed < FIRST_S:
            return False
        since, share = elapsed - self._line_s, (done - self._line_done) / self._total
        if self._line_done and (since < LEAST_S or (share < LEAST_SHARE and since < MOST_S)):
            return False
        self._line_s, self._line_done = elapsed, done
        return True

    def line(self, done: int) -> str:
        """Steps done, their rate and the time left."""
        left = self._elapsed_s / done * (self._total - done)
        share = done / self._total
        return (
            f"{self._what}: {done} of {self._total} ({share:.0%}), {self.rate(done)}, "
            f"{duration(left)} left"
        )

    def is_slow(self, done: int) -> bool:
        """Whether a step takes longer than a second."""
        return self._elapsed_s > done

    def rate(self, done: int) -> str:
        """Steps a second or, where one takes longer, an hour."""
        a_second = done / max(self._elapsed_s, 1e-9)
        if self.is_slow(done):
            return f"{a_second * _HOUR:.0f} an hour"
        return f"{a_second:.1f} a second"

    def log_duration(self, total: int) -> None:
        """Log how long all steps took, for those who look for what is slow."""
        if (elapsed := self._elapsed_s) >= LEAST_DETAIL_S:
            logger.debug("%s: %d in %.1f s", self._what, total, elapsed)


def duration(seconds: float) -> str:
    """A duration in its two largest units, such as 2 h 10 min."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{round(whole / _MINUTE)} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
