"""The bar on the terminal: what it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tqdm
from click.testing import CliRunner

from cloudfree.cli.group import group
from tests.training.runs import small, write_patches


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The units of all bars that were shown, by what they tell of."""
    shown: dict[str, str] = {}

    def bar(steps: Iterable[Any], desc: str, unit: str, **_: Any) -> Iterator[Any]:
        shown[desc] = unit
        yield from steps

    monkeypatch.setattr(tqdm, "tqdm", bar)
    return shown


def test_a_training_counts_steps_and_a_scoring_patches(
    bars: dict[str, str], tmp_path: Path
) -> None:
    data, run = str(write_patches(tmp_path / "data", count=1, side=32)), str(tmp_path / "run")
    settings = [word for pair in small("dsen2_cr") for word in ("--network-setting", pair)]
    for words in (
        ["train", "dsen2_cr", "--data", data, "-o", run, "--steps", "1", "--crop", "16",
         "--batch", "1", "--device", "cpu", "--s2-offset", "0", *settings],
        ["evaluate", "--data", data, "--model", run, "--device", "cpu", "--s2-offset", "0"],
    ):  # fmt: skip
        ran = CliRunner().invoke(group, words)
        assert ran.exit_code == 0, ran.output
    assert bars["steps"] == " step"
    assert bars["patches"] == " patch"
