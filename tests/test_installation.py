"""A wheel, installed anywhere, brings everything along."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", folder, ROOT]
    environment = {**os.environ, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return next(folder.glob("cloudfree-*.whl"))


def test_models_and_page_travel_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    models = {name for name in names if name.startswith("cloudfree/models/")}
    shipped = {"card.toml", "weights.safetensors", "golden.npz"}
    expected = {f"cloudfree/models/cloudfree-s/{name}" for name in shipped}
    assert models == expected | {"cloudfree/models/cloudmask-s/detector.onnx"}
    styles = {f"cloudfree/report/{name}" for name in ("page.css", "page.js", "evaluation.css")}
    templates = {
        f"cloudfree/report/templates/{name}.html"
        for name in ("frame", "page", "evaluation", "pictures", "tables")
    }
    assert styles | templates <= names


def test_an_unpacked_wheel_finds_its_default_model(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "from cloudfree.inference.model_store import find_model, model_names;"
        "print(find_model('cloudfree-s'), model_names())"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, check=True, env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout.startswith(str(tmp_path / "cloudfree" / "models" / "cloudfree-s"))
    assert "'cloudfree-s'" in ran.stdout


def test_every_dependency_is_pinned() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in wanted}  # type: ignore[index]
    itself = {project["project"]["name"]}  # the tests want one of its extras
    assert names - pinned - itself == set()
