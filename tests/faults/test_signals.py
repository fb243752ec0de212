"""A command that gets a signal: its exit code, and no draft left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.patience import PATIENCE_S
from tests.factories.rasters import write_cloudy_scene, write_radar

# The command line with a writer that waits in the middle of its work, as on a large scene.
WAITING = """
import signal
import time
from cloudfree.cli import main
from cloudfree.raster.cog import CogWriter

def wait(*_):
    print("writing", flush=True)
    time.sleep(600)

CogWriter.write = wait
# Where the tests run in the background the shell makes them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("stop", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["terminate", "interrupt"]
)
@pytest.mark.parametrize("command", ["mask", "coregister"])
def test_a_command_that_gets_a_signal_leaves_no_draft(
    tmp_path: Path, command: str, stop: signal.Signals, code: int
) -> None:
    scene, radar = write_cloudy_scene(tmp_path / "s2.tif"), write_radar(tmp_path / "s1.tif")
    words = {"mask": ["mask", scene], "coregister": ["coregister", "--s1", radar, "--s2", scene]}
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, *map(str, words[command]), "-o", tmp_path / "a.tif"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert list(tmp_path.glob(".a.part.*"))
    process.send_signal(stop)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert "Traceback" not in stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s1.tif", "s2.tif"]
