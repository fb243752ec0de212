"""The command line of `remove`, whose options `batch` shares."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner

from cloudfree.cli.batch import command as batch
from cloudfree.cli.group import group
from cloudfree.cli.remove import command as remove
from cloudfree.commands.remove.options import RemovalOptions, RemoveOptions
from tests.factories.rasters import TEN_METRES, write_cloudy_scene, write_radar

# A program gives them, as batch does for its scenes.
FOR_PROGRAMS = {"masks", "of_batch", "kept"}


def test_options_of_any_scene_are_the_same_in_a_batch() -> None:
    one, many = ({p.name: p for p in command.params} for command in (remove, batch))
    for name in {field.name for field in dataclasses.fields(RemovalOptions)} - FOR_PROGRAMS:
        assert one[name].to_info_dict() == many[name].to_info_dict()


def test_every_option_of_the_pipeline_can_be_given() -> None:
    names = {parameter.name for parameter in remove.params}
    assert {field.name for field in dataclasses.fields(RemoveOptions)} - FOR_PROGRAMS <= names


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--mask", "none.tif"], "'none.tif' does not exist"),
        (["--mask-threshold", "1.5"], "1.5 is not in the range 0<=x<=1"),
        (["--tile", "15"], "15 is not in the range x>=16"),
        (["--overlap", "-1"], "-1 is not in the range x>=0"),
        (["--batch-size", "0"], "0 is not in the range x>=1"),
        (["--s1-date", "24.04.2021"], "'24.04.2021' is no date such as 2021-04-24 or 2021-04-24T"),
        (["--s2-date", "2021-02-30"], "'2021-02-30' is no date such as 2021-04-24"),
        (["--sun-azimuth", "360.5"], "360.5 is not in the range 0<=x<=360"),
        (["--sun-azimuth", "south"], "'south' is not a valid float"),
        (["--replace", "some"], "'some' is not one of 'clouds', 'all'"),
    ],
)
def test_values_out_of_range_are_usage_errors(flags: list[str], text: str) -> None:
    ran = CliRunner().invoke(group, ["remove", *flags])
    assert ran.exit_code == 2
    assert text in ran.output


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(tmp_path: Path) -> None:
    s1, s2 = write_radar(tmp_path / "vv_vh.tif"), write_cloudy_scene(tmp_path / "l1c.tif")
    words = ["remove", "--s1", str(s1), "--s2", str(s2), "--shift", "none", "--dry-run", "-q"]
    ran = CliRunner().invoke(group, words)
    assert ran.exit_code == 0, ran.output
    assert "nothing written (dry run)" in ran.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l1c.tif", "vv_vh.tif"]


def test_the_mask_of_the_product_is_asked_for_by_a_word(tmp_path: Path) -> None:
    s1, s2 = write_radar(tmp_path / "vv_vh.tif"), write_cloudy_scene(tmp_path / "l1c.tif")
    words = ["remove", "--s1", str(s1), "--s2", str(s2), "--dry-run", "-q", "--mask", "scl"]
    ran = CliRunner().invoke(group, words)
    assert ran.exit_code == 1
    assert "no scene classification (SCL) in l1c.tif" in ran.output
    assert "give the SCL or the L2A product of the same scene with --mask FILE" in ran.output


def test_slices_of_one_pass_are_given_one_by_one(tmp_path: Path) -> None:
    """Radar over half of the scene leaves clouds, two halves fill them; the report opens both."""
    s2 = write_cloudy_scene(tmp_path / "l1c.tif")
    left = write_radar(tmp_path / "left.tif", 96, 50)
    right = write_radar(
        tmp_path / "right.tif", 96, 50, transform=TEN_METRES @ Affine.translation(46, 0)
    )
    words = [
        "remove", "--s2", str(s2), "-q", "--json", "--overwrite", "--shift", "none",
        "--detector", "published", "--fill-by", "network", "--report", str(tmp_path / "p.html"),
    ]  # fmt: skip
    shares, covered = [], []
    for radar in ([left], [left, right]):
        given = [word for path in radar for word in ("--s1", str(path))]
        ran = CliRunner().invoke(group, [*words, *given])
        assert ran.exit_code == 0, ran.output
        printed = json.loads(ran.stdout)
        shares.append(printed["unfilled_fraction"])
        covered.append(printed["s1_overlap"])
    assert shares[0] > 0.05
    assert shares[1] == 0
    assert covered == pytest.approx([50 / 96, 1.0])
    with rasterio.open(tmp_path / "l1c_cloudfree.tif") as result:
        tags = result.tags()
    assert (tags["CLOUDFREE_S1"], tags["CLOUDFREE_S1_2"]) == ("left.tif", "right.tif")
    assert "was not found" not in (tmp_path / "p.html").read_text(encoding="utf-8")
