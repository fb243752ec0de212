"""A network of one's own, from one Python file to a filled scene."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.factories.patience import PATIENCE_S
from tests.factories.plugin_network import write_plugin
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.training_runs import write_patches


def _cloudfree(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cloudfree", *map(str, words)], cwd=folder, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with patches, a scene, the file of a network, and a run of it."""
    folder = tmp_path_factory.mktemp("own")
    write_patches(folder / "data")
    write_cloudy_scene(folder / "s2.tif")
    write_radar(folder / "s1.tif")
    write_plugin(folder)
    ran = _cloudfree(
        folder, "train", "brighten", "--plugin", "brighten.py", "--data", "data", "-o", "run",
        "--steps", 2, "--crop", 32, "--s2-offset", 0, "--batch-size", 1, "--learning-rate", 0.01,
        "--device", "cpu",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return folder


def _filled(folder: Path, model: str, *more: str) -> np.ndarray:
    ran = _cloudfree(
        folder, "remove", "--s1", "s1.tif", "--s2", "s2.tif", "--model", model, "--shift", "none",
        "--fill-by", "network", "--device", "cpu", "-o", "out.tif", "--overwrite", *more,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    with rasterio.open(folder / "out.tif") as dataset:
        pixels: np.ndarray = dataset.read()
    return pixels


def test_it_is_exported_and_fills_the_same_without_its_file(folder: Path) -> None:
    by_torch = _filled(folder, "run", "--plugin", "brighten.py")
    ran = _cloudfree(folder, "export", "run", "--plugin", "brighten.py", "-o", "own.onnx",
                     "--overwrite")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    by_onnx = _filled(folder, "own.onnx")
    assert np.abs(by_onnx.astype(int) - by_torch).max() <= 1
    with rasterio.open(folder / "s2.tif") as dataset:
        assert (by_torch != dataset.read()).any()


def test_its_model_is_refused_without_its_file(folder: Path) -> None:
    ran = _cloudfree(folder, "remove", "--s1", "s1.tif", "--s2", "s2.tif", "--model", "run")
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: no network 'brighten'; wanted one of")
    assert "--plugin" in ran.stderr


def test_it_is_listed_shown_checked_and_scored(folder: Path) -> None:
    listed = _cloudfree(folder, "models", "list", "--plugin", "brighten.py").stdout
    assert "brighten" in listed.splitlines()[-1]
    shown = _cloudfree(folder, "models", "show", "brighten", "--plugin", "brighten.py").stdout
    assert "plugin      brighten.py" in shown
    optical, sar = np.zeros((1, 13, 4, 4), np.float32), np.zeros((1, 2, 4, 4), np.float32)
    np.savez(folder / "x.npz", opt=optical, sar=sar)
    np.savez(folder / "y.npz", out=optical)
    checked = _cloudfree(folder, "models", "check", "run", "--plugin", "brighten.py", "--inputs",
                         "x.npz", "--expect", "y.npz", "--atol", 0.1)  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    scored = _cloudfree(folder, "evaluate", "--data", "data", "--model", "run", "--plugin",
                        "brighten.py", "--limit", 1, "--s2-offset", 0)  # fmt: skip
    assert scored.returncode == 0, scored.stderr


def test_a_batch_fills_with_it_in_processes_of_its_own(folder: Path) -> None:
    (folder / "scenes").mkdir()
    for name in ("s1", "s2"):
        (folder / "scenes" / f"a_{name}.tif").write_bytes((folder / f"{name}.tif").read_bytes())
    ran = _cloudfree(folder, "batch", "scenes", "-o", "filled", "--model", "run", "--plugin",
                     "brighten.py", "--fill-by", "network", "--shift", "none")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert (folder / "filled" / "a_cloudfree.tif").exists()
    again = ["batch", "scenes", "-o", "filled", "--model", "run", "--plugin", "brighten.py",
             "--fill-by", "network", "--shift", "none", "--skip-existing"]  # fmt: skip
    assert _cloudfree(folder, *again).returncode == 0
    os.utime(folder / "brighten.py", (1, 1))
    assert "from another plugin brighten.py" in _cloudfree(folder, *again).stderr


# An export that waits in the middle, as that of a large network does for minutes.
WAITING = """
import time
from pathlib import Path
from torch import nn

NETWORKS = {"waiting": {"class": "Waiting", "inputs": ["optical"]}}

class Waiting(nn.Module):
    def __init__(self):
        super().__init__()
        Path("tracing").touch()
        time.sleep(600)

def infer_settings(shapes):
    return {} if list(shapes) == ["more"] else None
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_export_that_gets_a_signal_ends_at_once_and_leaves_nothing(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    (weights,) = (folder / "run").glob("weights-*.safetensors")
    (tmp_path / "a.safetensors").write_bytes(weights.read_bytes())
    process = subprocess.Popen(
        [sys.executable, "-m", "cloudfree", "export", "a.safetensors", "--plugin", "waiting.py",
         "--network", "waiting", "-o", "a.onnx"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    begun = time.monotonic()
    while not (tmp_path / "tracing").exists() and time.monotonic() - begun < PATIENCE_S:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143
    assert "Traceback" not in stderr
    assert "leaked" not in stderr
    left = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert left == {"a.safetensors", "tracing", "waiting.py"}
