"""The recipe for conda says what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

import cloudfree
from tests.conftest import ROOT

FILE = ROOT / "packaging" / "conda" / "recipe.yaml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Names on PyPI -> on conda-forge, where they differ.
NAMES = {
    "opencv-python-headless": "py-opencv",
    "torch": "pytorch",
    "pystac-core": "pystac",
    "onnxruntime-gpu": "onnxruntime",
}


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install pyyaml")
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def test_version_licence_and_summary_are_those_of_the_project(recipe: dict[str, Any]) -> None:
    project = PROJECT["project"]
    assert recipe["context"]["name"] == project["name"]
    assert recipe["context"]["version"] == cloudfree.__version__
    assert recipe["about"]["license"] == project["license"]
    assert recipe["about"]["summary"] == project["description"]
    assert recipe["about"]["license_file"] in project["license-files"]
    assert f">={recipe['context']['python_min']}" == project["requires-python"]


def test_dependencies_and_their_least_versions_are_those_of_the_project(
    recipe: dict[str, Any],
) -> None:
    found = dict(one.split(" ", 1) for one in recipe["requirements"]["run"])
    assert found.pop("python") == ">=${{ python_min }}"
    wanted = {}
    for requirement in PROJECT["project"]["dependencies"]:
        name, version = re.match(r"([\w.-]+)(>=[\d.]+)", requirement).groups()  # type: ignore[union-attr]
        wanted[NAMES.get(name, name)] = version
    assert found == wanted


def test_it_is_built_as_the_project_is_built(recipe: dict[str, Any]) -> None:
    build = recipe["build"]
    (script,) = PROJECT["project"]["scripts"].items()
    assert build["python"]["entry_points"] == [" = ".join(script)]
    assert set(PROJECT["build-system"]["requires"]) <= set(recipe["requirements"]["host"])
    assert (FILE.parent / recipe["source"]["path"]).resolve() == ROOT


def test_rattler_build_renders_it() -> None:
    rattler_build = pytest.importorskip(
        "rattler_build", reason="rattler-build is not installed: pip install py-rattler-build"
    )
    (variant,) = rattler_build.Stage0Recipe.from_file(str(FILE)).render()
    assert str(variant.recipe.package.version) == cloudfree.__version__
