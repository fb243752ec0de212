"""The bar on the terminal: what it counts, and where lines stand that come meanwhile."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import tqdm
from click.testing import CliRunner

from cloudfree.cli import options
from cloudfree.cli.group import group
from tests.factories.training_runs import small, write_patches


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The units of all bars that were shown, by what they tell of."""
    shown: dict[str, str] = {}

    class Bar(tqdm.tqdm):
        def __init__(self, steps: Iterable[Any], desc: str, unit: str, **more: Any) -> None:
            shown[desc] = unit
            super().__init__(steps, desc=desc, unit=unit, **more)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    return shown


def test_a_training_counts_steps_and_a_scoring_patches(
    bars: dict[str, str], tmp_path: Path
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
    assert bars["steps"] == " step"
    assert bars["patches"] == " patch"


class _Terminal(io.StringIO):
    """What a terminal is sent."""

    def isatty(self) -> bool:
        return True


def test_a_line_stands_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    options._start_logging(0)
    for step in options._progress_bar(range(3), 3, "scenes", "scene"):
        logging.getLogger("cloudfree").warning("scene %d is odd", step)
    sent = terminal.getvalue()
    assert "scenes:   0%" in sent
    for step in range(3):
        before, _, _ = sent.partition(f"Warning: scene {step} is odd\n")
        assert before.endswith("\r"), "the bar was taken away"
