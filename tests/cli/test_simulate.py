from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.cli.simulate import command
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.simulation.add_clouds import KINDS
from cloudfree.simulation.earlier_dates import MAX_DATES
from tests.factories.rasters import write_raster
from tests.factories.sample_folders import field


def _run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group, ["simulate", *words])
    return result.exit_code, result.stdout, result.stderr


def test_a_scene_is_written_and_printed_as_json(tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    words = ("--size", "64", "--cloud-cover", "0.25", "--misregistration", "-1.5", "2", "--json")
    code, out, _ = _run(str(folder), *words)
    printed = json.loads(out)
    assert code == 0
    assert printed["misregistration_px"] == {"row": -1.5, "col": 2.0}
    assert abs(printed["cloud"] - 0.25) < 0.01
    assert sorted(path.name for path in folder.iterdir()) == [
        "s1.tif", "s2_clear.tif", "s2_cloudy.tif", "truth_mask.tif",
    ]  # fmt: skip


def test_earlier_dates_are_printed_as_json(tmp_path: Path) -> None:
    code, out, _ = _run(str(tmp_path), "--size", "64", "--dates", "1", "--json", "-q")
    (date,) = json.loads(out)["earlier"]
    assert code == 0
    assert date["date"] == "2021-04-14"
    assert 0 <= date["cloud"] <= 1
    assert 0 < date["changed_fraction"] < 0.2
    for role in ("s2", "s1", "clear", "changed", "mask"):
        assert Path(date[role]).is_file(), role


def test_the_most_dates_are_those_that_can_be_drawn() -> None:
    (dates,) = (option for option in command.params if option.name == "dates")
    assert dates.type.max == MAX_DATES


def test_the_kinds_are_those_there_are() -> None:
    (kind,) = (option for option in command.params if option.name == "kind")
    assert tuple(kind.type.choices) == KINDS


def test_clouds_over_a_scene_are_printed_as_json(tmp_path: Path) -> None:
    clear = tmp_path / "clear.tif"
    write_raster(clear, field(64), OPTICAL_BANDS)
    words = ("--over", str(clear), "--kind", "cumulus", "--s2-offset", "0", "--count", "2")
    code, out, _ = _run(str(tmp_path / "out"), *words, "--json", "-q")
    printed = json.loads(out)
    assert code == 0
    assert printed["kind"] == "cumulus"
    assert [abs(scene["cloud"] - 0.4) < 0.01 for scene in printed["scenes"]] == [True, True]
    assert sorted(path.name for path in (tmp_path / "out" / "002").iterdir()) == [
        "s2_clear.tif", "s2_cloudy.tif", "truth_mask.tif",
    ]  # fmt: skip


def test_a_second_run_needs_overwrite(tmp_path: Path) -> None:
    assert _run(str(tmp_path), "--size", "64")[0] == 0
    code, out, err = _run(str(tmp_path), "--size", "64")
    assert (code, out) == (1, "")
    assert "add --overwrite to replace it" in err
    assert _run(str(tmp_path), "--size", "64", "--overwrite")[0] == 0


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    for words in (
        ("--size", "63"),
        ("--cloud-cover", "40"),
        ("--seed", "-1"),
        ("--misregistration", "1"),
        ("--kind", "fog"),
        ("--sun-elevation", "91"),
        ("--count", "0"),
        ("--dates", "15"),
    ):
        assert _run(str(tmp_path / "scene"), *words)[0] == 2, words
    assert not (tmp_path / "scene").exists()
