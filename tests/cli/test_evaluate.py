"""The command line of `cloudfree evaluate`, with the model that comes with the tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.evaluate import command
from tests.factories.dates_of_a_place import write_date
from tests.factories.sample_folders import TEST, write_tree, write_triplet


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("data") / "SEN12MSCR")


def test_a_miniature_sen12mscr_is_scored_and_shown(tree: Path, tmp_path: Path) -> None:
    ran = invoke("--data", tree, "--model", "cloudfree-s", "-o", tmp_path / "out", "--pictures", 1)
    assert ran.exit_code == 0, ran.output
    assert f"{tree}, split test: 3 patches of 2 places\nprotocol native: " in ran.stdout
    for words in ("all     do nothing", "cloudy  cloudfree-s, raw", "clear   cloudfree-s, written"):
        assert words in ran.stdout
    assert "method                0-20 % (" in ran.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"index.html", "evaluation.json", "summary.csv", "patches.csv"}


def test_json_is_one_object_with_every_figure(tree: Path) -> None:
    ran = invoke("--data", tree, "--model", "cloudfree-s", "--limit", 1, "--json", "-q")
    printed = json.loads(ran.stdout)
    assert [patch["name"] for patch in printed["patches"]] == [f"{TEST}_p30"]
    assert printed["rows"][0]["means"]["figures"]["psnr"] > 5
    assert printed["protocol"] == "native"


def test_a_folder_without_patches_is_one_line_and_exits_with_1(tmp_path: Path) -> None:
    ran = invoke("--data", tmp_path, "--model", "cloudfree-s")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("Error: no patch with a cloudy and a clear image in")
    assert ran.stderr.count("\n") == 1


def test_skipped_patches_do_not_fail_the_rest(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_triplet(tmp_path, name)
    (tmp_path / "a_s2_clear.tif").write_text("broken")
    ran = invoke("--data", tmp_path, "--model", "cloudfree-s", "--s2-offset", 0)
    assert ran.exit_code == 0
    assert "1 patches skipped, such as a: " in ran.stderr
    assert "1 patches skipped:\n  a: " in ran.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clear dates of a place in four bands, and one under a cloud."""
    bands = ("B02", "B03", "B04", "B08")
    folder = tmp_path_factory.mktemp("place")
    for day in ("0301", "0310"):
        write_date(folder / f"s2_2018{day}.tif", bands=bands)
    write_date(folder / "s2_20180401.tif", (slice(0, 64), slice(0, 64)), bands=bands)
    return folder


def test_a_series_is_scored_without_data_and_model(place: Path, tmp_path: Path) -> None:
    ran = invoke("--series", place, "--s2-offset", 0, "-o", tmp_path / "out")
    assert ran.exit_code == 0, ran.output
    assert f"{place}: 3 dates, 2018-03-01 to 2018-04-01, 2 of them clear" in ran.stdout
    assert "filled from earlier dates  cases  mean colour" in ran.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"index.html", "series.json", "cases.csv"}


def test_a_series_is_one_object_of_json(place: Path) -> None:
    ran = invoke("--series", place, "--s2-offset", 0, "--limit", 1, "--json", "-q")
    printed = json.loads(ran.stdout)
    assert [case["sources"] for case in printed["cases"]] == ["earlier", "both"]


@pytest.mark.parametrize("option", ["--data", "--model", "--device", "--patch"])
def test_what_a_series_does_not_need_is_refused(place: Path, option: str) -> None:
    value = {"--data": place, "--patch": 32}.get(option, "cpu")
    ran = invoke("--series", place, option, value)
    assert ran.exit_code == 1
    assert ran.stderr == (
        f"Error: {option} with --series; wanted a folder with dates of a place, which need "
        f"neither a data set nor a model; leave out {option} or --series\n"
    )


@pytest.mark.parametrize("given", [[], ["--model", "cloudfree-s"], ["--data", "."]])
def test_without_a_series_data_and_model_are_needed(given: list[str]) -> None:
    ran = invoke(*given)
    assert ran.exit_code == 2
    assert "give --data with --model, or --series" in ran.stderr
