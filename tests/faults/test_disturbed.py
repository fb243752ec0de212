"""Inputs that change, memory that is short, two runs with one output: one whole result or none."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.factories.patience import PATIENCE_S
from tests.factories.rasters import write_cloudy_scene
from tests.faults.conftest import Templates
from tests.faults.kills import Template
from tests.faults.runs import (
    finished,
    forked,
    hidden,
    killed_at,
    log_of,
    state,
    timed,
    visible,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX")

SEED = 20261125
NUMBER = int(os.environ.get("CLOUDFREE_DISTURBED", "50"))
OUTPUT = "out/"


def _outputs(found: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in found.items() if name.startswith(OUTPUT)}


def _replaced_inputs(found: Template, tmp_path: Path, number: int) -> Counter[str]:
    """Runs whose scene is replaced by another, or cut short, at a moment that is drawn."""
    draw = random.Random(f"{SEED} {found.command.name}")
    other = write_cloudy_scene(tmp_path / "other.tif", 128, 128, nodata=0)
    work, counts = tmp_path / "work", Counter[str]()
    shutil.copytree(found.folder, work)
    shutil.copy(other, work / "s2.tif")
    timed(work, found.words)
    of_other = _outputs(state(work))
    shutil.rmtree(work)
    for index in range(number):
        shutil.copytree(found.folder, work)
        process = forked(work, found.words)
        process.join(draw.uniform(0.0, 1.0) * found.seconds)
        if index % 2:
            shutil.copy(other, work / "new.tif")
            (work / "new.tif").replace(work / "s2.tif")
        else:
            os.truncate(work / "s2.tif", 5000)
        code, made = finished(process), _outputs(state(work))
        if code == 0:
            assert made in (_outputs(found.after), of_other), log_of(work)
        else:
            assert made == _outputs(found.before), log_of(work)
            assert log_of(work).count("Error: ") == 1
        counts["written" if code == 0 else "refused"] += 1
        shutil.rmtree(work)
    return counts


def _short_memory(found: Template, tmp_path: Path, number: int) -> Counter[str]:
    """Runs that may not have more memory than is drawn; the libraries alone take 2 GB of names."""
    import resource

    draw = random.Random(f"{SEED} {found.command.name}")
    work, counts = tmp_path / "work", Counter[str]()
    for _ in range(number):
        shutil.copytree(found.folder, work)
        room = round(draw.uniform(0.3, 3.0) * 2**30)
        process = forked(work, found.words, {resource.RLIMIT_AS: room})
        # Libraries may wait for ever where memory is out at the moment in which a thread starts.
        killed_at(process, PATIENCE_S)
        now = state(work)
        assert visible(now) == (found.before if process.exitcode else found.after), log_of(work)
        counts[f"code {process.exitcode}"] += 1
        shutil.copytree(found.folder / "out", work / "out", dirs_exist_ok=True)
        assert finished(forked(work, found.words)) == 0
        assert not hidden(state(work))
        shutil.rmtree(work)
    return counts


def _two_at_once(found: Template, tmp_path: Path, number: int) -> Counter[str]:
    """Two runs that begin within moments; without `--overwrite` one of them is refused."""
    draw = random.Random(f"{SEED} {found.command.name}")
    work, counts = tmp_path / "work", Counter[str]()
    for _ in range(number):
        shutil.copytree(found.folder, work)
        first = forked(work, found.words)
        first.join(draw.uniform(0.0, 0.3) * found.seconds)
        second = forked(work, found.words)
        codes = sorted((finished(first), finished(second)))
        assert codes == ([0, 0] if found.replaces else [0, 1]), log_of(work)
        assert state(work) == found.after
        counts[str(codes)] += 1
        shutil.rmtree(work)
    return counts


def test_an_input_that_is_replaced_or_cut_while_it_is_read(
    templates: Templates, tmp_path: Path
) -> None:
    assert _replaced_inputs(templates("coregister"), tmp_path, 4).total() == 4


def test_memory_that_is_short(templates: Templates, tmp_path: Path) -> None:
    assert _short_memory(templates("mask"), tmp_path, 2).total() == 2


@pytest.mark.parametrize("replaces", [False, True], ids=["new", "overwrite"])
def test_two_runs_with_one_output(templates: Templates, tmp_path: Path, replaces: bool) -> None:
    assert _two_at_once(templates("mask", replaces), tmp_path, 2).total() == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mask", "coregister", "remove"])
@pytest.mark.parametrize(
    ("disturb", "replaces"),
    [(_replaced_inputs, True), (_short_memory, True), (_two_at_once, False), (_two_at_once, True)],
)
def test_runs_that_are_disturbed_at_many_moments(
    templates: Templates,
    tmp_path: Path,
    disturb,
    name: str,
    replaces: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = disturb(templates(name, replaces), tmp_path, NUMBER)
    with capsys.disabled():
        print(f"\n{name} {disturb.__name__} {'overwrite' if replaces else 'new'}: {dict(counts)}")
    assert counts.total() == NUMBER
