"""A data engineer: a folder a night, one broken scene in it, programs that read codes.

Follows docs/batch.md and docs/errors.md on real scenes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories.real_crops import write_crop
from tests.walks.commands import command, printed_object, succeed

NAMES = ("4065", "5254")
SIDE = 128


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """Two scenes with radar, and a third whose radar was cut off in the transfer."""
    for name, source in zip((*NAMES, "cut"), (*NAMES, "5254"), strict=True):
        for kind in ("s1", "s2_cloudy"):
            path = data / "triplets" / f"{source}_{kind}.tif"
            write_crop(path, tmp_path / "in" / f"{name}_{kind}.tif", SIDE)
    radar = tmp_path / "in" / "cut_s1.tif"
    radar.write_bytes(radar.read_bytes()[:3000])
    return tmp_path


def test_a_night_with_a_broken_scene_is_finished_the_next_morning(data: Path, folder: Path) -> None:
    given, out = folder / "in", folder / "out"
    night = "batch {} -o {} --device cpu --json"
    planned = command(f"{night} --dry-run", given, out)
    assert planned.exit_code == 3, "the broken scene is found before the night"
    assert not out.exists()

    done = command(night, given, out)
    assert done.exit_code == 3
    scenes = {scene["name"]: scene for scene in printed_object(done)["scenes"]}
    assert {name: scene["state"] for name, scene in scenes.items()} == {
        "4065": "filled", "5254": "filled", "cut": "failed",
    }  # fmt: skip
    assert (scenes["cut"]["code"], scenes["cut"]["retry"]) == ("unreadable", False)
    assert "cut_s1.tif" in scenes["cut"]["message"]
    logged = [json.loads(line) for line in (out / "batch.jsonl").read_text().splitlines()]
    assert {line["name"]: line["code"] for line in logged} == {
        "4065": None, "5254": None, "cut": "unreadable",
    }  # fmt: skip
    assert not list(out.glob("cut*")), "nothing of a failed scene is left"

    write_crop(data / "triplets" / "5254_s1.tif", given / "cut_s1.tif", SIDE)
    results = [out / f"{name}_cloudfree.tif" for name in NAMES]
    before = [path.stat().st_mtime_ns for path in results]
    again = succeed(f"{night} --skip-existing", given, out)
    assert {scene["name"]: scene["state"] for scene in printed_object(again)["scenes"]} == {
        "4065": "skipped", "5254": "skipped", "cut": "filled",
    }  # fmt: skip
    assert [path.stat().st_mtime_ns for path in results] == before

    write_crop(data / "triplets" / "4065_s1.tif", given / "5254_s1.tif", SIDE)
    stale = command(f"{night} --skip-existing", given, out)
    assert stale.exit_code == 1, "an input changed: the result is not passed off as its own"
    assert "5254" in printed_object(stale)["error"]["message"]


def test_failures_are_one_object_and_an_exit_code(folder: Path, tmp_path: Path) -> None:
    scene, radar = folder / "in" / "5254_s2_cloudy.tif", folder / "in" / "cut_s1.tif"
    done = command("remove --s1 {} --s2 {} --json", radar, scene)
    error = printed_object(done)["error"]
    assert (done.exit_code, error["code"], error["retry"]) == (1, "unreadable", False)
    assert error["hint"]
    done = command("remove --s2 {} --json", scene)
    assert (done.exit_code, printed_object(done)["error"]["code"]) == (1, "missing_radar")
    done = command("remove --s2 {} --no-such-option", scene)
    assert done.exit_code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    done = command("batch {} -o {} --json", empty, tmp_path / "none")
    assert (done.exit_code, printed_object(done)["error"]["code"]) == (1, "missing_file")


@pytest.mark.slow
def test_two_machines_share_the_night(folder: Path) -> None:
    (folder / "in" / "cut_s2_cloudy.tif").unlink()
    for shard in ("1/2", "2/2"):
        succeed(f"batch {{}} -o {{}} --shard {shard} --device cpu", folder / "in", folder / "out")
    filled = {path.name for path in (folder / "out").glob("*_cloudfree.tif")}
    assert filled == {f"{name}_cloudfree.tif" for name in NAMES}


def test_messages_are_lines_of_json_about_their_scene(folder: Path) -> None:
    done = command("batch {} -o {} --device cpu --log-format json", folder / "in", folder / "out")
    messages = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"time", "level", "message"} <= set(messages[0])
    assert [one["scene"] for one in messages if one["level"] == "error"] == ["cut"]
