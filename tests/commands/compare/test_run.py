"""Results side by side, from the files of evaluations."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from cloudfree.commands.compare.options import CompareOptions
from cloudfree.commands.compare.result import ComparedModels
from cloudfree.commands.compare.run import run
from cloudfree.core.terminal import silent
from cloudfree.datasets.patch import PatchDates
from cloudfree.errors import InputError, OutputError
from tests.factories.evaluations import CLOUDY_DB, write_evaluation

PSNR = {"a_1": 30.0, "a_2": 32.0, "b_1": 28.0, "c_1": 34.0}
DATES = {"a_1": PatchDates(sar="2018-06-01", cloudy="2018-06-02", clear="2018-06-12")}


@pytest.fixture
def results(tmp_path: Path) -> tuple[str, ...]:
    """Two seeds of one model, the second 2 dB better, and one training of another."""
    shown = ("a_1",)
    for seed, more in (("1", 0.0), ("2", 2.0)):
        better = {name: db + more for name, db in PSNR.items()}
        write_evaluation(tmp_path / seed, "m", better, dates=DATES, shown=shown)
    write_evaluation(tmp_path / "n", "n", {**PSNR, "d_1": 1.0}, dates=DATES, shown=shown)
    return tuple(str(tmp_path / name) for name in ("1", "2", "n"))


def _run(results: tuple[str, ...], **own: Any) -> ComparedModels:
    return run(CompareOptions(results, **own), silent)


def test_means_deviations_and_differences_are_those_of_the_patches(
    results: tuple[str, ...],
) -> None:
    found = _run(results, baseline="n")
    assert (found.patches, found.places) == (4, 3)
    rows = {row.model: row.metrics["psnr"] for row in found.overall}
    assert rows["do nothing"].mean == CLOUDY_DB
    assert (rows["m"].mean, rows["m"].deviation) == pytest.approx((32.0, 2**0.5))
    assert (rows["n"].mean, rows["n"].deviation) == (31.0, None)
    (difference,) = found.differences
    assert (difference.model, difference.baseline) == ("m", "n")
    assert difference.metrics["psnr"].mean == pytest.approx(1.0)
    assert found.notes == ("1 patches of n left out, which others lack",)
    assert found.trainings["m"][0]["seed"] == 1


def test_cover_and_gaps_group_the_same_patches(results: tuple[str, ...]) -> None:
    found = _run(results)
    groups = {row.group: row.patches for row in found.cover}
    assert groups == {"0-20 %": 2, "40-60 %": 1, "80-100 %": 1}
    assert list(found.gaps) == ["cloudy and clear", "radar and cloudy", "radar and clear"]
    (first, *_) = found.gaps["cloudy and clear"]
    assert (first.group, first.patches) == ("8-14 days", 1)


def test_without_dates_a_note_says_so(tmp_path: Path) -> None:
    found = _run((str(write_evaluation(tmp_path / "m", "m", PSNR)),))
    assert found.gaps == {}
    assert found.differences == ()
    assert found.notes[-1].endswith("no groups by days: give --dates")


def test_all_is_written_and_replaced_only_if_allowed(
    results: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(results, output=out, show=("a_1",))
    assert {path.name for path in out.iterdir()} == {
        "tables.md", "tables.tex", "overall.csv", "cover.csv", "differences.csv", "gaps.csv",
        "cover.png", "shown.png",
    }  # fmt: skip
    with (out / "overall.csv").open(newline="") as file:
        assert [row["model"] for row in csv.DictReader(file)] == ["do nothing", "m", "n"]
    with pytest.raises(OutputError, match=r"tables\.md exists already"):
        _run(results, output=out)
    _run(results, output=out, overwrite=True)
    assert not (out / "shown.png").exists()


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"baseline": "x"},
            "no model x among the results; wanted one of do nothing, m, n; correct",
        ),
        ({"gap_days": "x"}, "--gap-days x; wanted rising whole numbers"),
        ({"show": ("a_1",)}, "--show a_1 without -o; wanted a folder for the picture"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    results: tuple[str, ...], own: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        _run(results, **own)
    assert str(error.value).startswith(message)


def test_results_on_other_patches_do_not_compare(tmp_path: Path) -> None:
    one = write_evaluation(tmp_path / "m", "m", {"a_1": 30.0})
    other = write_evaluation(tmp_path / "n", "n", {"b_1": 30.0})
    with pytest.raises(InputError, match="no patch that all results have; wanted results on the"):
        _run((str(one), str(other)))
