"""Opening ONNX files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cloudfree.core.onnx_session import open_session
from cloudfree.errors import ModelError
from tests.conftest import ROOT


def test_a_file_that_is_no_network_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"detector\.onnx cannot be loaded") as refusal:
        open_session(path, hint="install it anew")
    assert "install it anew" in str(refusal.value)


def _child(code: str, *before: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python, without the variable, and with a folder from which modules are imported first."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    paths = [str(folder)] if folder else []
    environment["PYTHONPATH"] = os.pathsep.join([*paths, str(ROOT)])
    command = [*before, sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


VARIABLE = "ORT_DISABLE_TELEMETRY"
IMPORTED = "from cloudfree.core.onnx_session import onnx_runtime; onnx_runtime()"


def test_telemetry_is_off_when_onnx_runtime_is_imported(tmp_path: Path) -> None:
    fake = f"import os; print(os.environ.get({VARIABLE!r}))"
    (tmp_path / "onnxruntime.py").write_text(fake)
    assert _child(IMPORTED, folder=tmp_path).stdout == "1\n"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_no_thread_is_left_that_could_ask_a_network() -> None:
    """With telemetry there is one more after the import."""
    count = "import os; print(len(os.listdir('/proc/self/task')))"
    before, after = _child(f"{count}; {IMPORTED}; {count}").stdout.split()
    assert before == after


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_no_socket_is_opened_within_fifteen_seconds(tmp_path: Path) -> None:
    """Without the variable a host is looked up ten seconds after the import."""
    log = tmp_path / "calls"
    watch = ("strace", "-f", "-e", "trace=network", "-o", str(log))
    _child(f"{IMPORTED}; import time; time.sleep(15)", *watch)
    calls = [line for line in log.read_text().splitlines() if "+++" not in line]
    assert calls == []
