"""`--bbox` and `--aoi` at the command line: the result is that part of the scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner, Result
from rasterio.io import DatasetReader

from cloudfree.cli.group import group
from cloudfree.core.grid import Window
from tests.factories.areas import bounds_of, write_area
from tests.factories.rasters import TEN_METRES, write_cloudy_scene, write_radar, write_raster

# The cloud is a disk of 24 pixels around the middle of the scene, at 48, 48.
PART = Window(10, 15, 60, 48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scene with its radar, as batch finds them, and a polygon."""
    (tmp_path / "in").mkdir()
    write_cloudy_scene(tmp_path / "in" / "a_s2.tif")
    write_radar(tmp_path / "in" / "a_s1.tif")
    write_area(tmp_path / "field.geojson", PART)
    return tmp_path


def _run(*words: str) -> Result:
    return CliRunner().invoke(group, [*words, "-q"])


def _area(folder: Path, kind: str) -> list[str]:
    if kind == "--aoi":
        return ["--aoi", str(folder / "field.geojson")]
    return ["--bbox", ",".join(map(repr, bounds_of(PART)))]


def _assert_placed(dataset: DatasetReader) -> None:
    corner = TEN_METRES.translation(PART.col, PART.row)
    assert dataset.transform == TEN_METRES @ corner
    assert dataset.shape == (PART.height, PART.width)


def _s2(folder: Path) -> str:
    return str(folder / "in" / "a_s2.tif")


def _s1(folder: Path) -> str:
    return str(folder / "in" / "a_s1.tif")


@pytest.mark.parametrize("kind", ["--bbox", "--aoi"])
def test_mask(folder: Path, kind: str) -> None:
    out, score = folder / "mask.tif", folder / "score.tif"
    ran = _run(
        "mask", _s2(folder), "-o", str(out), "--score", str(score), *_area(folder, kind),
        "--detector", "published", "--no-shadow", "--dilate", "0",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    with rasterio.open(out) as mask, rasterio.open(score) as scores:
        _assert_placed(mask)
        _assert_placed(scores)
        rows, cols = np.mgrid[:96, :96]
        cloud = np.hypot(rows - 48, cols - 48) < 24
        assert ((mask.read(1) == 1) == cloud[PART.slices]).mean() > 0.9


@pytest.mark.parametrize("kind", ["--bbox", "--aoi"])
def test_coregister(folder: Path, kind: str) -> None:
    out = folder / "radar.tif"
    ran = _run(
        "coregister", "--s1", _s1(folder), "--s2", _s2(folder), "-o", str(out),
        "--shift", "none", *_area(folder, kind),
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    with rasterio.open(out) as radar, rasterio.open(_s1(folder)) as whole:
        _assert_placed(radar)
        expected = whole.read()[:, *PART.slices]
        np.testing.assert_allclose(radar.read(), expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["--bbox", "--aoi"])
def test_remove(folder: Path, kind: str) -> None:
    """A mask of the whole scene is cut with it; the page shows the scene as it was cut."""
    cloud = np.zeros((1, 96, 96), np.uint8)
    cloud[0, 40:56, 40:56] = 1
    mask = write_raster(folder / "mask.tif", cloud, ["mask"])
    out = folder / "clear.tif"
    ran = _run(
        "remove", "--s1", _s1(folder), "--s2", _s2(folder), "-o", str(out), "--mask", str(mask),
        "--fill-by", "scene", "--shift", "none", "--report", str(folder / "page.html"),
        *_area(folder, kind),
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    with (
        rasterio.open(out) as clear,
        rasterio.open(folder / "clear_filled.tif") as filled,
        rasterio.open(_s2(folder)) as whole,
    ):
        _assert_placed(clear)
        _assert_placed(filled)
        hidden = cloud[0][PART.slices] == 1
        assert ((filled.read(1) != 0) == hidden).all()
        before, after = whole.read()[:, *PART.slices], clear.read()
        np.testing.assert_array_equal(after[:, ~hidden], before[:, ~hidden])
        assert clear.descriptions == whole.descriptions
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "is left out" not in page
    assert "was not found" not in page


@pytest.mark.parametrize("kind", ["--bbox", "--aoi"])
def test_batch(folder: Path, kind: str) -> None:
    words = [
        "batch", str(folder / "in"), "-o", str(folder / "out"), "--fill-by", "scene",
        "--shift", "none", "--detector", "published",
    ]  # fmt: skip
    ran = _run(*words, *_area(folder, kind))
    assert ran.exit_code == 0, ran.output
    with rasterio.open(folder / "out" / "a_cloudfree.tif") as clear:
        _assert_placed(clear)
    assert _run(*words, *_area(folder, kind), "--skip-existing").exit_code == 0
    other = _run(*words, "--bbox", "3,40.64,3.005,40.645", "--skip-existing")
    assert other.exit_code == 1
    assert "results were made" in other.stderr


def test_another_area_in_the_same_file_makes_a_result_old(folder: Path) -> None:
    words = [
        "batch", str(folder / "in"), "-o", str(folder / "out"), "--fill-by", "scene",
        "--shift", "none", "--detector", "published", *_area(folder, "--aoi"), "--skip-existing",
    ]  # fmt: skip
    assert _run(*words).exit_code == 0
    write_area(folder / "field.geojson", PART, Window(0, 0, 5, 5))
    ran = _run(*words)
    assert ran.exit_code == 1
    assert "1 of 1 results were made from another aoi" in ran.stderr


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--bbox", "3.2,40,3.1,41"], "bad_option", "crosses the antimeridian"),
        (["--bbox", "3.1,41,3.2,40"], "bad_option", "--bbox 3.1,41,3.2,40"),
        (["--bbox", "-60,-31,-59,-30"], "no_overlap", "has no pixel of a_s2.tif"),
        (["--aoi", "far.geojson"], "no_overlap", "--aoi far.geojson has no pixel"),
        (["--aoi", "broken.geojson"], "unreadable", "cannot be read as GeoJSON"),
        (["--aoi", "point.geojson"], "bad_input", "no polygon in --aoi point.geojson"),
        (["--aoi", "far.geojson", "--bbox", "3,40,4,41"], "bad_option", "--bbox and --aoi"),
    ],
)
@pytest.mark.parametrize("command", ["mask", "coregister", "remove", "batch"])
def test_refusals(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: list[str], code: str,
    text: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(folder)
    write_area(folder / "far.geojson", Window(5000, 5000, 10, 10))
    (folder / "broken.geojson").write_text("{")
    (folder / "point.geojson").write_text('{"type": "Point", "coordinates": [3, 40]}')
    both = ["--s1", _s1(folder), "--s2", _s2(folder)]
    given = {
        "mask": [_s2(folder)], "coregister": both, "remove": [*both, "--fill-by", "scene"],
        "batch": [str(folder / "in"), "-o", "out", "--fill-by", "scene"],
    }[command]  # fmt: skip
    ran = _run(command, *given, *words, "--json")
    printed = json.loads(ran.stdout)
    if command == "batch" and code == "no_overlap":  # other scenes may show the area
        assert ran.exit_code == 3
        error = printed["scenes"][0]
    else:
        assert ran.exit_code == 1
        error = printed["error"]
    assert error["code"] == code
    assert text in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize("text", ["3,40,4", "a,b,c,d", "3 40 4 41"])
def test_four_numbers_are_asked_for(folder: Path, text: str) -> None:
    ran = _run("mask", _s2(folder), "--bbox", text)
    assert ran.exit_code == 2
    assert f"{text!r} is not WEST,SOUTH,EAST,NORTH in degrees" in ran.output
