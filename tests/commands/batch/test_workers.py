"""Scenes on the workers of a Dask cluster: a crash ends one of them only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import dask
import pytest
from distributed import LocalCluster

from cloudfree.commands.batch import retries
from cloudfree.commands.batch import run as batch
from cloudfree.commands.batch import workers as batch_dask
from cloudfree.commands.batch.workers import SceneJob, on_cluster
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.raster.used_reference import UsedReference
from tests.commands.batch.test_run import _options, _scene
from tests.factories import killed_once


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with one worker, a process that is started anew where it dies."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0",
            worker_dashboard_address=":0",
        ) as cluster,
    ):  # fmt: skip
        yield cluster.scheduler_address


def _doubled(number: int) -> int:
    if number < 0:
        os._exit(1)
    return 2 * number


def _died(number: int, reason: object) -> str:
    return f"{number}: {type(reason).__name__}"


def test_references_are_called_as_their_scenes(tmp_path: Path) -> None:
    paths = tmp_path / "may" / "s2.tif", tmp_path / "june" / "s2.tif"
    options = RemoveOptions(s2=tmp_path / "s2.tif", output=tmp_path / "x.tif", references=paths)
    job = SceneJob("x", options, others=("may", "june"))
    used = [UsedReference(path=PurePosixPath(f"{name}/s2.tif")) for name in ("june", "july")]
    assert job.names_of(used) == ("june", "s2.tif")


def test_workers_answer(scheduler: str) -> None:
    with on_cluster(_doubled, [1, 2], scheduler, _died) as answers:
        assert sorted(answers) == [2, 4]


def test_a_worker_that_dies_is_reported_and_the_next_answers(scheduler: str) -> None:
    for number, expected in ((-1, "-1: KilledWorker"), (3, 6)):
        with on_cluster(_doubled, [number], scheduler, _died) as answers:
            assert list(answers) == [expected]


def test_scenes_are_filled_on_a_cluster(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    _scene(tmp_path / "in", "a")
    monkeypatch.chdir(tmp_path)
    options = _options(Path(), source=Path("in"), scheduler=scheduler, device="cpu")
    result = batch.run(options, silent)
    assert [scene.state for scene in result.scenes] == ["filled"]
    assert (tmp_path / "out" / "a_cloudfree.tif").exists(), "though workers run elsewhere"


def test_a_scene_whose_worker_dies_is_filled_at_the_next_attempt(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    _scene(tmp_path / "in", "a")
    monkeypatch.setattr(batch, "fill_scene", killed_once.fill_scene)
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.0)
    options = _options(tmp_path, scheduler=scheduler, device="cpu", retries=1)
    (scene,) = batch.run(options, silent).scenes
    assert (scene.state, scene.attempts) == ("filled", 2), scene.message


def _ask(scheduler: str) -> None:
    with on_cluster(_doubled, [1], scheduler, _died):
        pass


def test_a_scheduler_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_dask, "CONNECT_S", 0.2)
    text = r"no Dask scheduler at tcp://127.+; wanted its address, as tcp://"
    with pytest.raises(InputError, match=text):
        _ask("tcp://127.0.0.1:1")


def test_a_foreign_file_is_no_scheduler(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    path.write_text("no json")
    text = r"no Dask scheduler at .*scheduler\.json \(\w+\); wanted its address"
    with pytest.raises(InputError, match=text):
        _ask(str(path))


def test_without_dask_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    text = r"--scheduler tcp://a:1, but Dask is not installed; .*cloudfree\[dask\]'"
    with pytest.raises(InputError, match=text):
        _ask("tcp://a:1")
