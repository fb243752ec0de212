"""The script and the styles in QGIS itself, where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.factories.rasters import write_cloudy_scene, write_radar

# Runs in the Python of QGIS: the script by its name in the toolbox, then every raster as a layer.
_IN_QGIS = """
import json, os, shutil, sys
from qgis.core import Qgis, QgsApplication, QgsRasterLayer
application = QgsApplication([], False)
application.initQgis()
sys.path.append(os.path.join(QgsApplication.pkgDataPath(), "python", "plugins"))
import processing
from processing.core.Processing import Processing
from processing.script import ScriptUtils
Processing.initialize()
script, program, s2, s1, output = sys.argv[1:]
os.makedirs(ScriptUtils.scriptsFolders()[0], exist_ok=True)
shutil.copy(script, ScriptUtils.scriptsFolders()[0])
QgsApplication.processingRegistry().providerById("script").refreshAlgorithms()
written = processing.run("script:cloudfree_remove", {
    "S2": s2, "S1": s1, "FILL_BY": 1, "UNCERTAINTY": True, "WRITE_MASK": True,
    "PROGRAM": program, "OUTPUT": output,
})
layers = {}
for name, path in written.items():
    layer = QgsRasterLayer(path, name)
    renderer = layer.renderer()
    shown = {"valid": layer.isValid(), "type": renderer.type(), "bands": renderer.usesBands()}
    if renderer.type() == "paletted":
        shown["labels"] = [one.label for one in renderer.classes()]
    layers[name] = shown
print("answer", json.dumps(layers))
"""


def _python_of_qgis() -> str:
    """The system's Python, if it has the modules of QGIS; the test skips if not."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    found = python and subprocess.run(
        [python, "-c", "import qgis.core"], capture_output=True, check=False
    )
    if not python or not found or found.returncode:
        pytest.skip("no QGIS: the system's Python has no module qgis.core")
    return python


def _run(folder: Path, output: str) -> dict[str, Any]:
    python = _python_of_qgis()
    program = folder / "program"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cloudfree "$@"\n'
    )
    program.chmod(0o755)
    script = ROOT / "packaging" / "qgis" / "cloudfree_remove.py"
    s2, s1 = write_cloudy_scene(folder / "s2.tif"), write_radar(folder / "s1.tif")
    own = {"HOME": str(folder), "QT_QPA_PLATFORM": "offscreen", "PATH": os.environ["PATH"]}
    ran = subprocess.run(
        [python, "-c", _IN_QGIS, script, program, s2, s1, output],
        env=own, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in ran.stdout.splitlines() if line.startswith("answer ")]
    assert lines, ran.stdout + ran.stderr
    answer: dict[str, Any] = json.loads(lines[0].removeprefix("answer "))
    return answer


def test_the_script_fills_a_scene_and_every_layer_opens_in_its_style(tmp_path: Path) -> None:
    layers = _run(tmp_path, str(tmp_path / "out.tif"))
    assert set(layers) == {"OUTPUT", "FILLED", "MASK_USED", "DEVIATION"}
    assert all(layer["valid"] for layer in layers.values())
    scene = layers["OUTPUT"]
    assert (scene["type"], scene["bands"]) == ("multibandcolor", [4, 3, 2]), "true colour"
    assert layers["FILLED"]["labels"][:2] == ["original", "filled"]
    assert layers["MASK_USED"]["labels"][:3] == ["clear", "cloud", "shadow"]
    deviation = layers["DEVIATION"]
    assert (deviation["type"], deviation["bands"]) == ("singlebandpseudocolor", [4])


def test_a_temporary_layer_of_the_toolbox_opens(tmp_path: Path) -> None:
    layers = _run(tmp_path, "TEMPORARY_OUTPUT")
    assert layers["OUTPUT"]["valid"]
    assert layers["FILLED"]["valid"]
