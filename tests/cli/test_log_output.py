"""Messages on stderr: text for people, objects for programs, details with -v."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.cli.log_output import start_logging
from tests.factories.rasters import write_cloudy_scene, write_radar


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a scene and its radar."""
    write_cloudy_scene(tmp_path / "s2.tif", 64, 64)
    write_radar(tmp_path / "s1.tif", 64, 64)
    return tmp_path


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _remove(folder: Path, *more: str) -> list[str]:
    return [
        "remove", "--s2", str(folder / "s2.tif"), "--s1", str(folder / "s1.tif"),
        "--device", "cpu", *more,
    ]  # fmt: skip


def test_a_message_is_one_line_whatever_the_name_of_a_file(tmp_path: Path) -> None:
    scene = tmp_path / "a\nb\x1b[31m.tif"
    scene.write_text("no raster")
    ran = CliRunner().invoke(group, ["mask", str(scene)])
    assert ran.exit_code == 1
    (line,) = ran.stderr.splitlines()
    assert "a\\nb\\x1b[31m.tif cannot be opened" in line


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_every_line_is_an_object(folder: Path, before: bool) -> None:
    words = ["--log-format", "json"]
    given = [*words, *_remove(folder)] if before else _remove(folder, *words)
    start = datetime.now(UTC)
    result = CliRunner().invoke(group, given)
    assert result.exit_code == 0, result.output
    lines = _lines(result.stderr)
    assert {line["level"] for line in lines} <= {"info", "warning"}
    assert {line["scene"] for line in lines} == {"s2.tif"}
    assert any(line["message"].startswith("offset of s2.tif: 0") for line in lines)
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert times == sorted(times)
    assert (times[0] - start).total_seconds() > -1
    assert all(line["time"].endswith("+00:00") for line in lines)


def test_an_error_is_an_object_too(folder: Path) -> None:
    result = CliRunner().invoke(group, _remove(folder, "--log-format", "json", "--model", "nope"))
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = _lines(result.stderr)
    assert (line["level"], line["message"][:15]) == ("error", "no model 'nope'")


def test_details_come_with_v(folder: Path) -> None:
    usual = CliRunner().invoke(group, _remove(folder)).stderr
    verbose = CliRunner().invoke(group, _remove(folder, "-v", "--overwrite")).stderr
    for detail in (
        "cloudfree ", "evidence of the offset of s2.tif, statistics: ", "loading the model: ",
        "mask: ", "co-registration: ", " tiles of 256 pixels, overlapping by ",
        "filling and writing: ", "all: ",
    ):  # fmt: skip
        found = [line for line in verbose.splitlines() if detail in line]
        assert found, detail
        assert found[0] not in usual
    assert " GB of memory" in verbose


def test_a_line_names_the_scene_that_its_record_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_logging(0, "json")
    logger = logging.getLogger("cloudfree")
    logger.info("june: filled", extra={"scene": "june"})
    logger.info("2 scenes")
    first, second = _lines(capsys.readouterr().err)
    assert first["scene"] == "june"
    assert "scene" not in second
