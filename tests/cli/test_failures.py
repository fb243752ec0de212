"""With --json a failure is an object whose code programs can rely on."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.commands.mask import run as mask
from cloudfree.core.bands import OPTICAL_BANDS
from tests.conftest import ROOT
from tests.factories.rasters import (
    TEN_METRES,
    cloudy_scene,
    write_cloudy_scene,
    write_radar,
    write_raster,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a scene and its radar."""
    write_cloudy_scene(tmp_path / "s2.tif", 64, 64)
    write_radar(tmp_path / "s1.tif", 64, 64)
    return tmp_path


def _remove(folder: Path, *more: str, s2: str = "s2.tif", s1: str = "s1.tif") -> list[str]:
    return [
        "remove", "--s2", str(folder / s2), "--s1", str(folder / s1),
        "-o", str(folder / "out.tif"), "--device", "cpu", *more,
    ]  # fmt: skip


def _far_away(folder: Path) -> list[str]:
    write_radar(folder / "far.tif", 64, 64, transform=TEN_METRES.translation(9e5, 9e5))
    return _remove(folder, s1="far.tif")


def _damaged(folder: Path) -> list[str]:
    (folder / "text.tif").write_text("no raster")
    return _remove(folder, s2="text.tif")


def _without_data(folder: Path) -> list[str]:
    empty = np.zeros((13, 64, 64), np.uint16)
    write_raster(folder / "empty.tif", empty, OPTICAL_BANDS, nodata=0)
    return ["mask", str(folder / "empty.tif"), "-o", str(folder / "mask.tif")]


def _unknown_offset(folder: Path) -> list[str]:
    bright = np.full((13, 64, 64), 5000, np.uint16)
    write_raster(folder / "bright.tif", bright, OPTICAL_BANDS)
    return _remove(folder, s2="bright.tif")


def _existing(folder: Path) -> list[str]:
    (folder / "out.tif").touch()
    return _remove(folder)


def _mask_of_another_grid(folder: Path) -> list[str]:
    write_raster(folder / "mask.tif", np.ones((1, 5, 7), np.uint8), ["mask"], crs=None)
    return _remove(folder, "--mask", str(folder / "mask.tif"))


def _picture(folder: Path) -> list[str]:
    pixels = (cloudy_scene(64, 64)[0] >> 8).astype(np.uint8)
    write_raster(folder / "picture.tif", pixels, OPTICAL_BANDS)
    return _remove(folder, "--s2-offset", "0", s2="picture.tif")


def _days_apart(folder: Path) -> list[str]:
    radar = "S1A_IW_GRDH_1SDV_20200301T060000_20200301T060025_031480_03A0F0_ABCD.tif"
    (folder / "s1.tif").rename(folder / radar)
    optical = "S2A_MSIL1C_20200101T105441_N0208_R051_T31TBF_20200101T113434.tif"
    (folder / "s2.tif").rename(folder / optical)
    return _remove(folder, s2=optical, s1=radar)


# Code -> the command line that fails with it, in a folder with a scene.
CASES: dict[str, Callable[[Path], list[str]]] = {
    "missing_file": lambda folder: _remove(folder, s2="none.tif"),
    "bad_option": lambda folder: _remove(folder, "--mask-threshold", "0.5"),
    "missing_band": lambda folder: _remove(folder, s1="s2.tif"),
    "missing_radar": lambda folder: _remove(folder)[:3] + _remove(folder)[5:],
    "no_overlap": _far_away,
    "unreadable": _damaged,
    "no_data": _without_data,
    "unknown_offset": _unknown_offset,
    "output_exists": _existing,
    "not_writable": lambda folder: _remove(folder, "-o", str(folder / "s2.tif" / "out.tif")),
    "swapped": lambda folder: [
        "remove", "--s1", str(folder / "s2.tif"), "--s2", str(folder / "s1.tif"),
    ],
    "model": lambda folder: _remove(folder, "--model", "nope"),
    "wrong_grid": _mask_of_another_grid,
    "wrong_level": _picture,
    "time_gap": _days_apart,
    "unreachable": lambda folder: [
        "batch", str(folder), "-o", str(folder / "out"), "--scheduler", "tcp://127.0.0.1:1",
    ],
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_a_failure_is_an_object_with_its_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("cloudfree.commands.batch.workers.CONNECT_S", 0.2)
    result = CliRunner().invoke(group, [*CASES[code](folder), "--json"])
    printed = json.loads(result.stdout)
    assert printed["error"]["code"] == code, printed
    assert set(printed["error"]) == {"code", "message", "wanted", "hint", "retry"}
    assert all(printed["error"][key] for key in ("message", "wanted", "hint"))
    assert printed["error"]["retry"] is (code == "unreachable")
    assert result.exit_code == (2 if code == "missing_file" else 1)
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    ("fault", "code", "retry"),
    [
        (MemoryError("1 GB"), "out_of_memory", True),
        (OSError(errno.ENOSPC, "No space left on device"), "no_space", False),
        (OSError(errno.EIO, "Input/output error"), "io", True),
        (KeyError("B02"), "internal", False),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_errors_of_the_system_have_codes_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: str, retry: bool
) -> None:
    def run(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(mask, "run", run)
    result = CliRunner().invoke(group, ["mask", str(folder / "s2.tif"), "--json"])
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["retry"], result.exit_code) == (code, retry, 1)


@pytest.mark.parametrize("output", ["", "."])
@pytest.mark.parametrize("option", ["-o", "--score"])
def test_a_folder_is_no_name_of_a_result(folder: Path, option: str, output: str) -> None:
    result = CliRunner().invoke(group, ["mask", str(folder / "s2.tif"), option, output])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: . is a folder; wanted the name of a file; choose")
    assert not (folder / "s2_mask.tif").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("megabytes", [300, 450])
def test_a_library_that_has_no_room_is_a_lack_of_memory(folder: Path, megabytes: int) -> None:
    import resource

    room = megabytes * 2**20
    words = ["mask", folder / "s2.tif", "-o", folder / "m.tif", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "cloudfree", *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)),
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: not enough memory (")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["mask", "--none", "--json"], "see `cloudfree mask --help`"),
        (["nonsense", "--json"], "see `cloudfree --help`"),
        (["models", "show", "--json"], "see `cloudfree models show --help`"),
    ],
    ids=str,
)
def test_a_wrong_command_line_is_an_object_too(words: list[str], hint: str) -> None:
    result = CliRunner().invoke(group, words, prog_name="cloudfree")
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["hint"]) == ("bad_option", hint)
    assert result.exit_code == 2
    assert "Usage: cloudfree" in result.stderr


def test_without_json_stdout_stays_empty(folder: Path) -> None:
    for words in (_existing(folder), ["mask", "--none"]):
        assert CliRunner().invoke(group, words).stdout == ""
