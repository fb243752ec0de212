from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.commands.mask import run as mask
from tests.factories.rasters import write_cloudy_scene

# Every flag with a value of its own, and the field it must reach.
FLAGS: dict[str, tuple[list[str], Any]] = {
    "sun_azimuth": (["--sun-azimuth", "150.5"], 150.5),
    "output": (["-o", "out.tif"], Path("out.tif")),
    "bbox": (["--bbox", "-3.5,40,-3,40.5"], (-3.5, 40.0, -3.0, 40.5)),
    "aoi": (["--aoi", __file__], Path(__file__)),
    "score": (["--score", "score.tif"], Path("score.tif")),
    "score_dtype": (["--score-dtype", "uint8"], "uint8"),
    "detector": (["--detector", "published"], "published"),
    "threshold": (["--threshold", "0.31"], 0.31),
    "ndsi": (["--ndsi", "0.47"], 0.47),
    "sensitive": (["--no-sensitive"], False),
    "qml": (["--qml"], True),
    "stac": (["--stac"], True),
    "shadow": (["--no-shadow"], False),
    "dilate": (["--dilate", "35m"], "35m"),
    "resampling": (["--resampling", "cubic"], "cubic"),
    "allow_remote": (["--allow-remote"], True),
    "s2_offset": (["--s2-offset", "-900"], -900.0),
    "overwrite": (["--overwrite"], True),
    "creation_options": (["--co", "LEVEL=7"], {"LEVEL": "7"}),
}


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_cloudy_scene(tmp_path / "l1c.tif")


def _options(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> mask.MaskOptions:
    """The options that the command hands to the pipeline."""
    seen: list[mask.MaskOptions] = []

    def stop(options: mask.MaskOptions, _: object) -> None:
        seen.append(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(mask, "run", stop)
    CliRunner().invoke(group, ["mask", *arguments])
    return seen[0]


def test_every_flag_reaches_its_option(monkeypatch: pytest.MonkeyPatch, scene: Path) -> None:
    given = [word for words, _ in FLAGS.values() for word in words]
    options = _options(monkeypatch, str(scene), *given)
    expected = {name: value for name, (_, value) in FLAGS.items()} | {"scene": scene}
    assert vars(options) == expected


def test_without_flags_the_options_are_the_pipeline_s_own(
    monkeypatch: pytest.MonkeyPatch, scene: Path
) -> None:
    assert _options(monkeypatch, str(scene)) == mask.MaskOptions(scene=scene)


def test_json_prints_one_object_with_the_share_of_each_class(scene: Path) -> None:
    done = CliRunner().invoke(group, ["mask", str(scene), "--json"])
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    assert set(printed["fractions"]) == {"clear", "cloud", "shadow", "snow", "nodata"}
    assert 0.1 < printed["fractions"]["cloud"] < 0.4
    assert printed["output"] == str(scene.with_name("l1c_mask.tif"))
    assert printed["cirrus_test"] is True
    assert printed["shadow_distance_m"] is None


def test_text_prints_the_shares_and_the_path(scene: Path) -> None:
    done = CliRunner().invoke(group, ["mask", str(scene)])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].startswith("clear ")
    assert done.stdout.splitlines()[1] == str(scene.with_name("l1c_mask.tif"))


def test_a_refusal_is_one_line_and_exit_code_one(scene: Path) -> None:
    done = CliRunner().invoke(group, ["mask", str(scene), "--dilate", "4"])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "Error: a distance of '4'; wanted a length of at least 0 in metres or pixels, such as "
        "40m or 4px; add the unit, or give 0 for none"
    ]


@pytest.mark.parametrize("wrong", [["--threshold", "0"], ["--threshold", "1.1"], ["--ndsi", "2"]])
def test_numbers_out_of_range_are_a_usage_error(scene: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(group, ["mask", str(scene), *wrong])
    assert done.exit_code == 2
    assert "is not in the range" in done.stderr
