"""A bar on a terminal, and lines of the log where there is none."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cloudfree.cli import progress
from cloudfree.cli.group import group
from cloudfree.cli.log_output import start_logging
from cloudfree.cli.progress import Pace, duration, progress_on_stderr
from cloudfree.core.terminal import muted_log
from tests.factories.training_runs import small, write_patches


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The units of all progress that is shown, by what it is of."""
    shown: dict[str, str] = {}

    def lines(steps: Iterable[Any], total: int, what: str, unit: str = "step") -> Iterator[Any]:
        shown[what] = unit
        yield from steps

    monkeypatch.setattr(progress, "_lines", lines)
    return shown


def test_a_training_counts_steps_and_a_scoring_patches(
    units: dict[str, str], tmp_path: Path
) -> None:
    data, run = str(write_patches(tmp_path / "data", count=1, side=32)), str(tmp_path / "run")
    settings = [word for pair in small("dsen2_cr") for word in ("--network-setting", pair)]
    for words in (
        ["train", "dsen2_cr", "--data", data, "-o", run, "--steps", "1", "--crop", "16",
         "--batch-size", "1", "--device", "cpu", "--s2-offset", "0", *settings],
        ["evaluate", "--data", data, "--model", run, "--device", "cpu", "--s2-offset", "0"],
    ):  # fmt: skip
        ran = CliRunner().invoke(group, words)
        assert ran.exit_code == 0, ran.output
    assert units["steps"] == "step"
    assert units["patches"] == "patch"


class _Terminal(io.StringIO):
    """What a terminal is sent."""

    def isatty(self) -> bool:
        return True


def test_a_line_stands_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    start_logging(0)
    for step in progress_on_stderr(as_lines=False)(range(3), 3, "scenes", "scene"):
        logging.getLogger("cloudfree").warning("scene %d is odd", step)
    sent = terminal.getvalue()
    assert "scenes:   0%" in sent
    for step in range(3):
        before, _, _ = sent.partition(f"Warning: scene {step} is odd\n")
        assert before.endswith("\r"), "the bar was taken away"


class _Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _due(total: int, seconds_a_step: float) -> list[tuple[int, float]]:
    """The steps after which a line comes, and when."""
    clock = _Clock()
    pace, found = Pace(total, "steps", clock), []
    for done in range(1, total + 1):
        clock.now = done * seconds_a_step
        if pace.is_due(done):
            found.append((done, clock.now))
    return found


def test_short_work_has_no_line() -> None:
    assert _due(9, 1.0) == []


def test_the_first_line_comes_after_ten_seconds_and_none_at_the_end() -> None:
    assert _due(40, 1.0) == [(10, 10.0)]
    assert _due(1, 300.0) == []


def test_lines_are_at_least_a_minute_and_a_tenth_apart() -> None:
    assert [at for _, at in _due(1000, 0.2)] == pytest.approx([10, 70, 130, 190])
    assert [done for done, _ in _due(1000, 1.0)] == list(range(10, 1000, 100))


def test_a_day_of_work_has_a_line_every_ten_minutes() -> None:
    times = [at for _, at in _due(86_400, 1.0)]
    assert times[:3] == [10.0, 610.0, 1210.0]
    assert len(times) == 144


def test_a_line_has_rate_and_time_left() -> None:
    clock = _Clock()
    scenes, steps = Pace(12, "scenes", clock), Pace(5000, "steps", clock)
    clock.now = 120.0
    assert scenes.line(3) == "scenes: 3 of 12 (25%), 90 an hour, 6 min left"
    assert steps.line(500) == "steps: 500 of 5000 (10%), 4.2 a second, 18 min left"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (90, "2 min"), (7800, "2 h 10 min"), (280_800, "3 d 6 h")],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_without_a_terminal_lines_go_to_the_log_even_where_others_are_muted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST_S", 0.0)
    start_logging(0)
    with muted_log():
        logging.getLogger("cloudfree").info("muted")
        assert list(progress_on_stderr(as_lines=False)(range(3), 3, "steps")) == [0, 1, 2]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("steps: 1 of 3 (33%), ")
    assert line.endswith(" left")


def test_a_slow_bar_has_how_many_come_in_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setattr(Pace, "is_slow", lambda *_: True)
    monkeypatch.setattr(Pace, "rate", lambda *_: "90 an hour")
    list(progress_on_stderr(as_lines=False)(range(3), 3, "scenes", "scene"))
    assert terminal.getvalue().count("90 an hour") == 3


def test_lines_may_be_asked_for_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    list(progress_on_stderr(as_lines=True)(range(3), 3, "scenes"))
    assert terminal.getvalue() == ""


def test_how_long_work_took_is_a_detail_if_it_is_worth_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "cloudfree")
    clock = _Clock()
    pace = Pace(3, "masks", clock)
    pace.log_duration(3)
    clock.now = 4.2
    pace.log_duration(3)
    assert caplog.messages == ["masks: 3 in 4.2 s"]
