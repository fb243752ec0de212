"""A small folder of dates from its files to its figures."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cloudfree.commands.evaluate.series.options import SeriesOptions
from cloudfree.commands.evaluate.series.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, OutputError
from tests.factories.dates_of_a_place import write_date

CLOUD = (slice(0, 64), slice(0, 64))
# Fewer bands are filled sooner.
BANDS = ("B02", "B03", "B04", "B08")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clear dates and one cloudy one."""
    folder = tmp_path_factory.mktemp("place")
    for day in ("0301", "0310", "0501"):
        write_date(folder / f"s2_2018{day}.tif", bands=BANDS)
    write_date(folder / "s2_20180401.tif", CLOUD, bands=BANDS)
    return folder


def test_clear_dates_are_filled_from_earlier_and_from_all_dates(
    place: Path, tmp_path: Path
) -> None:
    found = run(SeriesOptions(series=place, s2_offset=0.0, output=tmp_path / "out"), silent)
    assert found.dates == ("2018-03-01", "2018-03-10", "2018-04-01", "2018-05-01")
    assert found.clear == ("2018-03-01", "2018-03-10", "2018-05-01")
    assert [(one.sources, one.truth) for one in found.cases] == [
        ("earlier", "2018-03-10"), ("earlier", "2018-05-01"),
        ("both", "2018-03-01"), ("both", "2018-03-10"), ("both", "2018-05-01"),
    ]  # fmt: skip
    for case in found.cases:
        figures = case.figures
        assert figures["last clear"].psnr > figures["mean colour"].psnr + 20  # type: ignore[operator]
    assert (tmp_path / "out" / "cases.csv").exists()
    assert (tmp_path / "out" / "index.html").read_text().count("<article") == 1 + len(found.cases)


def test_the_page_shows_as_many_cases_as_wanted(place: Path, tmp_path: Path) -> None:
    options = SeriesOptions(series=place, s2_offset=0.0, output=tmp_path, pictures=2)
    run(options, silent)
    assert (tmp_path / "index.html").read_text().count("<article") == 1 + 2


def test_a_limit_takes_cases_of_each_kind(place: Path) -> None:
    found = run(SeriesOptions(series=place, s2_offset=0.0, limit=1), silent)
    assert [one.sources for one in found.cases] == ["earlier", "both"]


def test_scenes_that_are_left_out_are_named(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    extra = write_date(place / "undated.tif", bands=BANDS)
    with caplog.at_level(logging.WARNING, "cloudfree"):
        run(SeriesOptions(series=place, s2_offset=0.0, limit=1), silent)
    extra.unlink()
    assert "undated.tif is left out: it has no date in its metadata or its name" in caplog.text


def test_clear_dates_alone_are_refused(tmp_path: Path) -> None:
    for day in ("0301", "0401"):
        write_date(tmp_path / f"s2_2018{day}.tif")
    message = r"no clear date that others fill \(hidden: 2018-03-01 0%, 2018-04-01 0%\)"
    with pytest.raises(InputError, match=message):
        run(SeriesOptions(series=tmp_path, s2_offset=0.0), silent)


def test_results_that_exist_are_kept(place: Path, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").touch()
    with pytest.raises(OutputError, match=r"cases\.csv exists already"):
        run(SeriesOptions(series=place, output=tmp_path), silent)
