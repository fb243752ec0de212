"""No command runs code that stands in a checkpoint, and none waits for ever for one."""

from __future__ import annotations

import pickle
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.sample_folders import write_triplet
from tests.faults.hostile_pickles import hostile_checkpoints, self_containing

# Ways of the corpus, and two of them by each of these endings.
EXPECTED = 45
ENDINGS = (".pt", ".pth.tar", ".safetensors", ".h5", ".onnx", "")
COMMANDS = {
    "remove": ["remove", "--s1", "s1.tif", "--s2", "s2.tif", "-o", "out.tif", "--model", "{}"],
    "models check": ["models", "check", "{}", "--inputs", "x.npz", "--expect", "x.npz"],
    "models convert": ["models", "convert", "{}", "converted"],
    "train": ["train", "dsen2_cr", "--data", "data", "-o", "run", "--init-from", "{}", "--steps",
              "1", "--device", "cpu", "--s2-offset", "0"],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_cloudy_scene(tmp_path / "s2.tif", 64, 64)
    write_radar(tmp_path / "s1.tif", 64, 64)
    write_triplet(tmp_path / "data", "p0", 64)
    write_triplet(tmp_path / "data", "p1", 64, seed=1)
    arrays = {"opt": np.ones((1, 13, 32, 32), "f4"), "sar": np.ones((1, 2, 32, 32), "f4")}
    np.savez(tmp_path / "x.npz", **arrays)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refusal(words: list[str]) -> str:
    """The one line that a command ends with."""
    ran = CliRunner().invoke(group, words)
    assert isinstance(ran.exception, SystemExit), (words, ran.exception)
    assert ran.exit_code == 1, (words, ran.output)
    *_, last = ran.stderr.splitlines()
    assert last.startswith("Error: ")
    return last


def _refused(folder: Path, command: str, step: int) -> int:
    """How many are refused: each way, and the first by each ending of a name; every `step`-th."""
    marker = folder / "ran"
    ways = hostile_checkpoints(marker)
    names = [(way, ".pt") for way in ways]
    names += [(way, ending) for way in list(ways)[:2] for ending in ENDINGS]
    for number, (way, ending) in enumerate(names[::step]):
        path = folder / f"m{number}{ending}"
        path.write_bytes(ways[way])
        _refusal([word.format(path.name) for word in COMMANDS[command]])
        assert not marker.exists(), (way, ending)
    print(f"{command}: {len(names[::step])} hostile checkpoints, all refused in one line")
    return len(names[::step])


def test_code_in_a_checkpoint_does_not_run(folder: Path) -> None:
    assert _refused(folder, "models convert", 1) == EXPECTED


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_code_of_a_checkpoint(folder: Path, command: str) -> None:
    assert _refused(folder, command, 8) == -(-EXPECTED // 8)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_any_code_of_a_checkpoint(folder: Path, command: str) -> None:
    assert _refused(folder, command, 1) == EXPECTED


def test_the_corpus_would_run_code_if_it_were_unpickled(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    ran = 0
    for way, content in hostile_checkpoints(tmp_path / "ran").items():
        if content[:1] != b"\x80" or "protocol" not in way:
            continue
        with suppress(Exception):  # after the call, what it returns may not fit
            pickle.loads(content)
        ran += (tmp_path / "ran").exists()
        (tmp_path / "ran").unlink(missing_ok=True)
    assert ran == 12


@pytest.mark.parametrize("command", ["models check", "models convert"])
def test_a_checkpoint_that_contains_itself_ends(folder: Path, command: str) -> None:
    path = self_containing(folder / "self.pt")
    refusal = _refusal([word.format(path.name) for word in COMMANDS[command]])
    assert "self.pt holds no mapping of tensors" in refusal
