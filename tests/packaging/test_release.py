"""The workflow that publishes a release: what was checked, on every Python that is promised."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

import pytest

import cloudfree
from tests.conftest import ROOT

FILE = ROOT / ".github" / "workflows" / "release.yml"


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install pyyaml")
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]
    return found


def test_the_wheel_is_checked_on_every_python_of_the_classifiers(jobs: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert jobs["check"]["strategy"]["matrix"]["python"] == listed


def test_only_what_was_checked_is_published(jobs: dict[str, Any]) -> None:
    assert jobs["check"]["needs"] == "build"
    assert jobs["publish"]["needs"] == "check"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}, "no password"


@pytest.mark.parametrize(("tag", "code"), [(f"v{cloudfree.__version__}", 0), ("v9.9.9", 1)])
def test_a_tag_of_another_version_is_refused(jobs: dict[str, Any], tag: str, code: int) -> None:
    (script,) = [one["run"] for one in jobs["build"]["steps"] if one.get("name")]
    ran = subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env={"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"},
        check=False,
    )  # fmt: skip
    assert ran.returncode == code
