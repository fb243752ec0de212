"""The command line of `cloudfree report`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.report import command
from cloudfree.commands.report import run as report
from cloudfree.core.displacement import Shift
from tests.factories.rasters import write_cloudy_scene
from tests.factories.results import reference_tags, write_result


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_every_flag_reaches_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(report, "run", lambda options, progress: seen.append(options))
    one, two, truth, page, folder = (tmp_path / name for name in ("1", "2", "truth", "page", "dir"))
    for path in (one, two, truth):
        path.touch()
    invoke(
        one,
        two,
        "-o",
        page,
        "--truth",
        truth,
        "--truth",
        two,
        "--quicklooks",
        folder,
        "--overwrite",
    )
    assert seen == [report.ReportOptions((one, two), page, (truth, two), folder, overwrite=True)]
    invoke(one, "-o", page)
    assert seen[1] == report.ReportOptions((one,), page)


def test_a_folder_is_enough(tmp_path: Path):
    write_result(tmp_path)
    ran = invoke(tmp_path)
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.splitlines()[-1] == str(tmp_path / "index.html")
    assert (tmp_path / "l1c_cloudfree.html").exists()
    only = invoke(tmp_path, "--no-pages", "--max-size", "1", "--overwrite", "--json")
    assert json.loads(only.stdout)["pages"] == []


def test_it_prints_the_table_and_writes_the_page(tmp_path: Path):
    fake, page = write_result(tmp_path), tmp_path / "page.html"
    ran = invoke(fake.result, "--truth", fake.truth, "-o", page)
    assert ran.exit_code == 0, ran.output
    assert "PSNR     SSIM      SAM      MAE" in ran.stdout
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_json_is_one_object_with_the_figures(tmp_path: Path):
    fake, page = write_result(tmp_path), tmp_path / "page.html"
    ran = invoke(fake.result, "--truth", fake.truth, "-o", page, "--json")
    printed = json.loads(ran.stdout)
    assert printed["output"] == str(page)
    assert printed["scenes"][0]["comparison"]["cloudy"]["after"]["mae"] == pytest.approx(
        0.01, rel=1e-4
    )


def test_other_dates_are_objects_of_the_json(tmp_path: Path):
    date = write_cloudy_scene(tmp_path / "may.tif", 48, 64)
    tags = reference_tags([date], acquired=datetime(2021, 5, 4, tzinfo=UTC), shift=Shift(0.5, -1))
    fake = write_result(tmp_path, **tags)
    ran = invoke(fake.result, "-o", tmp_path / "page.html", "--json")
    (scene,) = json.loads(ran.stdout)["scenes"]
    assert scene["filled_by"] == {"filled": 1.0}
    (printed,) = scene["references"]
    assert printed["path"] == "may.tif"
    assert printed["acquired"] == "2021-05-04 00:00:00+00:00"
    assert printed["shift"] == {"row": 0.5, "col": -1.0}


def test_a_foreign_file_is_one_line_and_exit_code_1(tmp_path: Path):
    fake = write_result(tmp_path)
    ran = invoke(fake.truth, "-o", tmp_path / "page.html")
    assert ran.exit_code == 1
    assert ran.stderr.startswith(
        "Error: l1c_truth.tif has no CLOUDFREE_VERSION tag; wanted a result"
    )
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["-o", "page.html"], ["no_such_file.tif", "-o", "page.html"], [".", "--max-size", "0"]],
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert invoke(*arguments).exit_code == 2
