from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cloudfree.cli.group import group


def _run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group, ["simulate", *words])
    return result.exit_code, result.stdout, result.stderr


def test_a_scene_is_written_and_told_as_json(tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    words = ("--size", "64", "--cloud-cover", "0.25", "--misregistration", "-1.5", "2", "--json")
    code, out, _ = _run(str(folder), *words)
    told = json.loads(out)
    assert code == 0
    assert told["misregistration_px"] == {"row": -1.5, "col": 2.0}
    assert abs(told["cloud"] - 0.25) < 0.01
    assert sorted(path.name for path in folder.iterdir()) == [
        "s1.tif", "s2_clear.tif", "s2_cloudy.tif", "truth_mask.tif",
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
    ):
        assert _run(str(tmp_path / "scene"), *words)[0] == 2, words
    assert not (tmp_path / "scene").exists()
