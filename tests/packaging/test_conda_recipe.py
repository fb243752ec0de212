"""The recipe for conda says what pyproject.toml says."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from typing import Any

import pytest

import cloudfree
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.raster.gdal import NEEDED_DRIVERS
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

# The wheel of rasterio has this driver inside; on conda-forge it is a package of its own.
# Source: conda-forge/gdal-feedstock, pull request 948.
JPEG_2000 = "libgdal-jp2openjpeg"


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
    parts = (one.partition(" ") for one in recipe["requirements"]["run"] if one != JPEG_2000)
    found = {name: version for name, _, version in parts}
    assert found.pop("python") == ">=${{ python_min }}"
    wanted = {}
    for requirement in PROJECT["project"]["dependencies"]:
        name, version = re.match(r"([\w.-]+)(>=[\d.]+)", requirement).groups()  # type: ignore[union-attr]
        wanted[NAMES.get(name, name)] = version
    assert found == wanted


def test_the_driver_for_bands_of_sentinel_2_is_there(recipe: dict[str, Any]) -> None:
    assert "JP2OpenJPEG" in NEEDED_DRIVERS
    assert JPEG_2000 in recipe["requirements"]["run"]


def test_it_is_tested_as_a_user_would_check_it_with_the_oldest_python(
    recipe: dict[str, Any],
) -> None:
    imports, commands = recipe["tests"]
    oldest = "${{ python_min }}.*"
    assert oldest in imports["python"]["python_version"]
    assert commands["requirements"]["run"] == [f"python {oldest}"]
    assert "cloudfree info" in commands["script"]
    assert f"cloudfree models check {DEFAULT_MODEL}" in commands["script"]


def test_its_source_is_what_the_wheel_is_made_of(recipe: dict[str, Any]) -> None:
    kept = recipe["source"]["filter"]
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    needed = ["pyproject.toml", "cloudfree/__init__.py", "cloudfree/report/templates/page.html"]
    needed += [PROJECT["project"]["readme"], *PROJECT["project"]["license-files"], *shipped]
    assert [one for one in needed if not _matches(one, kept)] == []
    stray = [".git/config", ".venv/bin/python", "tests/conftest.py", "docs/install.md", "a.tif"]
    assert [one for one in stray if _matches(one, kept)] == []


def _matches(path: str, globs: list[str]) -> bool:
    return any(fnmatch.fnmatch(path, glob) for glob in globs)


def test_one_package_is_for_all_platforms_since_nothing_is_compiled(
    recipe: dict[str, Any],
) -> None:
    assert recipe["build"]["noarch"] == "python"
    assert "hooks" not in PROJECT["tool"]["hatch"]["build"]
    compiled = {".so", ".pyd", ".dll", ".dylib", ".pyx", ".c", ".cpp", ".cu"}
    assert [one for one in (ROOT / "cloudfree").rglob("*") if one.suffix in compiled] == []


def test_pip_freeze_names_its_version_and_no_folder(recipe: dict[str, Any]) -> None:
    assert "**/direct_url.json" in recipe["build"]["files"]["exclude"]


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
