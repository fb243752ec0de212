"""What may pass is tried again, after pauses that grow; what stands is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cloudfree.commands.batch.options import SceneOutcome
from cloudfree.commands.batch.retries import LONGEST_PAUSE_S, pause_s, with_retries
from cloudfree.commands.batch.workers import SceneJob
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.errors import ErrorCode, InputError

MEMORY, BAND = ErrorCode.OUT_OF_MEMORY, ErrorCode.MISSING_BAND


def _job(name: str) -> SceneJob:
    return SceneJob(name, RemoveOptions(s2=Path("s2.tif"), output=Path(f"{name}.tif")))


class _Runner:
    """Runs jobs; `codes` are the errors of the attempts of each, then it is filled."""

    def __init__(self, **codes: Sequence[ErrorCode]) -> None:
        self._left = {name: list(found) for name, found in codes.items()}
        self.rounds: list[list[SceneJob]] = []
        self.error: InputError | None = None

    @contextmanager
    def __call__(self, jobs: Sequence[SceneJob]) -> Iterator[Iterator[SceneOutcome]]:
        if self.error and self.rounds:
            raise self.error
        self.rounds.append(list(jobs))
        yield (self._outcome(job) for job in jobs)

    def _outcome(self, job: SceneJob) -> SceneOutcome:
        left = self._left[job.name]
        return job.failed("why", left.pop(0)) if left else replace(job.outcome(), state="filled")


def _outcomes(runner: _Runner, retries: int, *names: str) -> tuple[list[SceneOutcome], list[float]]:
    pauses: list[float] = []
    found = with_retries(runner, [_job(name) for name in names], retries, pauses.append)
    return list(found), pauses


def test_only_what_may_pass_is_tried_again() -> None:
    runner = _Runner(a=[MEMORY], b=[BAND], c=[])
    outcomes, pauses = _outcomes(runner, 2, "a", "b", "c")
    found = {one.name: (one.state, one.attempts) for one in outcomes}
    assert found == {"a": ("filled", 2), "b": ("failed", 1), "c": ("filled", 1)}
    assert [[job.name for job in jobs] for jobs in runner.rounds] == [["a", "b", "c"], ["a"]]
    assert pauses == [10.0]


def test_a_failure_stands_when_no_attempt_is_left() -> None:
    outcomes, pauses = _outcomes(_Runner(a=[MEMORY] * 9), 3, "a")
    assert [(one.state, one.code, one.attempts) for one in outcomes] == [("failed", MEMORY, 4)]
    assert pauses == [10.0, 20.0, 40.0]


def test_without_retries_there_is_one_attempt() -> None:
    outcomes, pauses = _outcomes(_Runner(a=[MEMORY]), 0, "a")
    assert [(one.state, one.attempts) for one in outcomes] == [("failed", 1)]
    assert pauses == []


def test_left_overs_of_an_attempt_are_replaced_by_the_next() -> None:
    runner = _Runner(a=[MEMORY])
    _outcomes(runner, 1, "a")
    assert [jobs[0].options.overwrite for jobs in runner.rounds] == [False, True]


def test_pauses_grow_up_to_the_longest() -> None:
    pauses = [pause_s(attempt) for attempt in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S


def test_failures_stand_where_a_later_round_cannot_begin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "cloudfree")
    runner = _Runner(a=[MEMORY], b=[])
    runner.error = InputError("no scheduler", wanted="one", hint="start it")
    outcomes, _ = _outcomes(runner, 1, "a", "b")
    assert {one.name: one.state for one in outcomes} == {"a": "failed", "b": "filled"}
    assert "a: attempt 1 failed: why" in caplog.text
    assert "no attempt 2: no scheduler" in caplog.text
