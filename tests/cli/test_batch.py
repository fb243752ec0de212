"""`cloudfree batch` at the command line: what scripts and schedulers of clusters rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.group import group
from tests.factories.patience import PATIENCE_S
from tests.factories.rasters import write_cloudy_scene, write_radar


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two scenes."""
    for name in "ab":
        write_cloudy_scene(_made(tmp_path / "in") / f"{name}_s2.tif", 64, 64)
        write_radar(tmp_path / "in" / f"{name}_s1.tif", 64, 64)
    return tmp_path


def _made(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


def _batch(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(
        group, ["batch", str(folder / "in"), "-o", str(folder / "out"), *words]
    )


def test_scenes_that_are_done_exit_with_0_and_failures_with_3(folder: Path) -> None:
    done = _batch(folder, "--jobs", "2", "--json")
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert [scene["state"] for scene in printed["scenes"]] == ["filled", "filled"]
    assert printed["log"] == str(folder / "out" / "batch.jsonl")

    (folder / "in" / "b_s1.tif").unlink()
    (folder / "out" / "b_cloudfree.tif").unlink()
    some = _batch(folder, "--skip-existing")
    assert some.exit_code == 3
    assert some.stdout.startswith("2 scenes: 1 skipped, 1 failed; ")
    assert "Error: b: failed: no Sentinel-1 scene; wanted" in some.stderr

    again = _batch(folder)
    assert again.exit_code == 1
    assert "1 of 2 results exist already" in again.stderr


def test_the_output_folder_is_asked_for(folder: Path) -> None:
    result = CliRunner().invoke(group, ["batch", str(folder / "in")])
    assert result.exit_code == 2
    assert "Missing option '-o' / '--output'" in result.stderr


# The command line whose scenes wait in the middle of being written.
WAITING = """
import signal
from pathlib import Path
from cloudfree.cli import main
from cloudfree.commands.batch import run as batch
from tests.factories.waiting_scene import fill_scene

batch.fill_scene = fill_scene
signal.signal(signal.SIGINT, signal.default_int_handler)
if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("stop", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["terminate", "interrupt"]
)
def test_a_batch_that_gets_a_signal_leaves_no_draft_and_no_process(
    folder: Path, stop: signal.Signals, code: int
) -> None:
    """Only the parent gets the signal, as with `kill`."""
    script = folder / "waiting.py"
    script.write_text(WAITING)
    process = subprocess.Popen(
        [sys.executable, script, "batch", folder / "in", "-o", folder / "out", "--jobs", "2",
         "--replace", "all"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        at_work = _wait_for_two(folder / "out")
        assert len(list((folder / "out").glob(".*.part.*"))) >= 2
        process.send_signal(stop)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == code
    assert "Traceback" not in stderr
    assert {path.suffix for path in (folder / "out").iterdir()} <= {".pid", ".jsonl"}
    for path in at_work:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)


def _wait_for_two(output: Path) -> list[Path]:
    """Files that name the processes at work, when there are two."""
    start = time.monotonic()
    while len(found := list(output.glob("*.pid"))) < 2:
        assert time.monotonic() - start < PATIENCE_S
        time.sleep(0.05)
    return found
