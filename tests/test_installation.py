"""A wheel, installed anywhere, brings everything along."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from cloudfree.datasets.split_file import shipped_splits
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OLDEST = (3, 11)


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
        for name in ("frame", "page", "index", "evaluation", "series", "pictures", "tables")
    }
    splits = {f"cloudfree/datasets/splits/{file}" for file in shipped_splits()}
    assert len(splits) == 5
    assert styles | templates | splits <= names


def test_no_script_of_training_travels_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith(".sh")] == []
    assert [name for name in names if name.endswith("__main__.py")] == ["cloudfree/__main__.py"]
    assert [name for name in names if name.startswith("cloudfree/training/detector/")] == []


def test_the_sources_are_of_the_oldest_python_that_is_promised() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("type Bands = tuple[str, ...]", feature_version=OLDEST)
    sources = [*(ROOT / "cloudfree").rglob("*.py")]
    trees = [
        ast.parse(path.read_text(encoding="utf-8"), feature_version=OLDEST) for path in sources
    ]
    assert len(trees) == len(sources) > 100


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


def test_classifiers_docs_and_linter_name_the_same_versions_of_python() -> None:
    listed = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    oldest = ".".join(map(str, OLDEST))
    assert listed[0] == oldest
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    document = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert f"Python {', '.join(listed[:-1])} or {listed[-1]}" in document


def test_every_dependency_is_pinned() -> None:
    project = PROJECT
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in wanted}  # type: ignore[index]
    itself = {project["project"]["name"]}  # the tests want one of its extras
    assert names - pinned - itself == set()
