"""What scripts rely on: exit codes, one line on stderr, one JSON object on stdout."""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cloudfree import __version__
from cloudfree.cli import group as group_module
from cloudfree.cli.group import group, main
from cloudfree.commands.mask import run as mask
from cloudfree.errors import InputError


@dataclasses.dataclass
class _Result:
    path: Path = Path("a.tif")
    shares: tuple[float, ...] = (0.5, 0.25)

    def summary(self) -> str:
        return "a few lines"


@pytest.fixture
def scene(tmp_path: Path) -> str:
    path = tmp_path / "scene.tif"
    path.touch()
    return str(path)


def _pipeline(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    monkeypatch.setattr(mask, "run", run)


def test_success_prints_the_summary_and_exits_with_0(
    scene: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pipeline(monkeypatch, lambda *_: _Result())
    result = CliRunner().invoke(group, ["mask", scene])
    assert (result.exit_code, result.stdout) == (0, "a few lines\n")


def test_json_is_one_object(scene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _pipeline(monkeypatch, lambda *_: _Result())
    result = CliRunner().invoke(group, ["mask", scene, "--json"])
    assert json.loads(result.stdout) == {"path": "a.tif", "shares": [0.5, 0.25]}


def test_a_refusal_is_one_line_on_stderr_and_exits_with_1(
    scene: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise InputError("3 apples", wanted="pears", hint="buy pears")

    _pipeline(monkeypatch, refuse)
    result = CliRunner().invoke(group, ["mask", scene])
    assert result.exit_code == 1
    assert result.stderr == "Error: 3 apples; wanted pears; buy pears\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["mask"], ["mask", "missing.tif"], ["none"], ["mask", "--none"]], ids=str
)
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(group, arguments).exit_code == 2


def test_an_interruption_exits_with_130(scene: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    _pipeline(monkeypatch, interrupt)
    monkeypatch.setattr(sys, "argv", ["cloudfree", "mask", scene])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == group_module.EXIT_INTERRUPTED == 130


def test_the_installed_command_knows_its_version() -> None:
    command = Path(sys.executable).with_name("cloudfree")
    ran = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"cloudfree, version {__version__}\n"


def test_a_creation_option_without_a_value_is_a_usage_error(scene: str) -> None:
    result = CliRunner().invoke(group, ["mask", scene, "--co", "COMPRESS"])
    assert result.exit_code == 2
    assert "'COMPRESS' is not NAME=VALUE" in result.stderr


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ([], {"note", "Warning"}),
        (["-q"], {"Warning"}),
        (["-qq"], set()),
        (["-v"], {"note", "Warning", "detail"}),
    ],
    ids=["plain", "quiet", "silent", "verbose"],
)
def test_verbosity_decides_what_is_said_on_stderr(
    scene: str, monkeypatch: pytest.MonkeyPatch, flags: list[str], shown: set[str]
) -> None:
    def talk(*_: Any) -> _Result:
        logger = logging.getLogger("cloudfree")
        logger.debug("detail")
        logger.info("note")
        logger.warning("beware")
        return _Result()

    _pipeline(monkeypatch, talk)
    result = CliRunner().invoke(group, ["mask", scene, *flags])
    said = {word for word in ("note", "Warning", "detail") if word in result.stderr}
    assert said == shown
    assert result.stdout == "a few lines\n"
