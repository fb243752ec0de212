from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cloudfree.cli.coregister import command
from cloudfree.commands.coregister import run as coregister
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.displacement import Shift
from cloudfree.coregistration.clear_windows import BANDS
from tests.factories.rasters import write_cloudy_scene, write_radar, write_raster
from tests.factories.scene_pairs import field_pair


@pytest.fixture
def scenes(tmp_path: Path) -> tuple[Path, Path]:
    optical, decibels = field_pair(128, Shift(2.5, -1.5))
    s1 = write_raster(tmp_path / "s1.tif", decibels, SAR_BANDS)
    return s1, write_raster(tmp_path / "s2.tif", optical, BANDS)


def _invoke(s1: Path, s2: Path, *arguments: str) -> Any:
    return CliRunner().invoke(command, ["--s1", str(s1), "--s2", str(s2), *arguments])


def test_json_has_the_shift_and_whether_it_was_applied(scenes: tuple[Path, Path]) -> None:
    ran = _invoke(*scenes, "--json", "-q")
    printed = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert set(printed) >= {"shift_px", "reliability", "reliable", "applied", "reason", "overlap"}
    assert printed["shift_px"] == pytest.approx({"row": 2.5, "col": -1.5}, abs=0.2)
    assert (printed["reliable"], printed["applied"], printed["overlap"]) == (True, True, 1.0)
    assert (printed["model"], printed["gate"]) == ("translation", "reliable")
    assert 0 < printed["matches_used"] <= printed["matches"] == 16
    assert printed["residual_px"]["after"]["median"] < printed["residual_px"]["before"]["median"]
    assert printed["residual_px"]["after"]["p95"] < 1
    assert Path(printed["output"]).is_file()


def test_text_has_the_units_and_the_shift(scenes: tuple[Path, Path]) -> None:
    ran = _invoke(*scenes)
    assert "corrected (reliability 0." in ran.stdout
    assert "Sentinel-1 in db (negative numbers, median" in ran.stderr


def test_every_option_reaches_its_field(
    scenes: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[coregister.CoregisterOptions] = []

    def record(options: coregister.CoregisterOptions, _: Any) -> Any:
        seen.append(options)
        return coregister.CoregisterResult(
            options.result, {"row": 0.0, "col": 0.0}, "translation", 0, 0, 0, {}, "", 0, False,
            False, "", 1, "db", False,
        )  # fmt: skip

    monkeypatch.setattr(coregister, "run", record)
    flags = ["-o", str(tmp_path / "o.tif"), "--shift", "none", "--max-shift", "3.5",
             "--s1-units", "linear", "--s2-offset", "-1000", "--dry-run", "--overwrite",
             "--quicklook", str(tmp_path / "q.png"),
             "--co", "LEVEL=9"]  # fmt: skip
    assert _invoke(*scenes, *flags).exit_code == 0
    assert _invoke(*scenes).exit_code == 0
    assert seen[0] == coregister.CoregisterOptions(
        s1=(scenes[0],), s2=scenes[1], output=tmp_path / "o.tif", shift="none", max_shift=3.5,
        s1_units="linear", s2_offset=-1000.0, dry_run=True, overwrite=True,
        quicklook=tmp_path / "q.png",
        creation_options={"LEVEL": "9"},
    )  # fmt: skip
    assert seen[1] == coregister.CoregisterOptions(s1=(scenes[0],), s2=scenes[1])


def test_what_is_not_reliable_is_a_warning_and_exit_code_0(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif")
    ran = _invoke(s1, write_cloudy_scene(tmp_path / "s2.tif"))
    assert ran.exit_code == 0
    assert "Warning: shift of Sentinel-1: not reliable, left alone: " in ran.stderr
    assert "not reliable, left alone" in ran.stdout
    assert (tmp_path / "s1_coregistered.tif").is_file()


def test_a_refusal_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif", crs=None)
    ran = _invoke(s1, write_cloudy_scene(tmp_path / "s2.tif", 64, 64))
    assert ran.exit_code == 1
    assert "no coordinate system in one of the scenes" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "wrong", [["--shift", "maybe"], ["--max-shift", "-1"], ["--s1-units", "w"]]
)
def test_wrong_usage_is_exit_code_2(scenes: tuple[Path, Path], wrong: list[str]) -> None:
    assert _invoke(*scenes, *wrong).exit_code == 2
