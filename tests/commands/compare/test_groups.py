"""Groups of patches by cloud cover and by days between their images."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.compare.groups import (
    by_cover,
    by_gap,
    parse_days,
    read_dates,
    with_dates,
)
from cloudfree.commands.compare.results import PatchScore, read_results
from cloudfree.datasets.patch import UNDATED, PatchDates
from cloudfree.errors import InputError
from tests.factories.evaluations import write_evaluation


def _score(cover: float = 0.0, dates: PatchDates = UNDATED) -> PatchScore:
    return PatchScore("a", cover, dates, {})


def test_patches_are_grouped_by_cover() -> None:
    patches = {"p": _score(0.1), "q": _score(0.55), "r": _score(1.0)}
    assert by_cover(patches, 2) == {
        "0-50 %": frozenset("p"), "50-100 %": frozenset("qr"),
    }  # fmt: skip


def test_patches_are_grouped_by_the_days_between_two_images() -> None:
    def cleared(day: str) -> PatchScore:
        return _score(dates=PatchDates(cloudy="2018-06-10", clear=day))

    patches = {
        "p": cleared("2018-06-10"), "q": cleared("2018-06-03"), "r": cleared("2018-06-18"),
        "s": cleared("2018-12-01"), "t": _score(),
    }  # fmt: skip
    assert by_gap(patches, ("cloudy", "clear"), (7, 14, 28)) == {
        "0-7 days": frozenset("pq"), "8-14 days": frozenset("r"),
        "29 days and more": frozenset("s"),
    }  # fmt: skip
    assert by_gap(patches, ("sar", "clear"), (7,)) == {}


@given(st.lists(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 50), min_size=1))
def test_every_dated_patch_is_in_one_group(gaps: list[int], last: set[int]) -> None:
    first = date(2018, 1, 1)
    patches = {
        str(number): _score(dates=PatchDates(cloudy="2018-01-01", clear=(first + gap).isoformat()))
        for number, gap in enumerate(timedelta(days=days) for days in gaps)
    }
    groups = by_gap(patches, ("cloudy", "clear"), tuple(sorted(last)))
    assert sorted(name for group in groups.values() for name in group) == sorted(patches)


def test_days_of_groups_rise() -> None:
    assert parse_days("7, 14,28") == (7, 14, 28)
    for text in ("7,5", "7,7", "x", "", "1.5"):
        with pytest.raises(InputError, match=f"--gap-days {text}; wanted rising whole numbers"):
            parse_days(text)


def test_dates_may_stand_in_a_table_by_patch_or_place(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path / "one", "m", {"a_1": 30.0, "a_2": 31.0, "b_1": 32.0})
    file = tmp_path / "dates.csv"
    file.write_text("name,s1,s2_cloudy,s2_clear\na,2018-06-01,2018-06-02,2018-06-20\na_2,,,\n")
    dated = with_dates(read_results([str(folder)], "raw"), file).models
    for found in dated.values():
        patches = found[0].patches
        assert patches["a_1"].dates == PatchDates("2018-06-01", "2018-06-02", "2018-06-20")
        assert patches["a_2"].dates == patches["b_1"].dates == UNDATED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,s1\na,2018-06-01\n", "dates.csv cannot be read (KeyError: 's2_cloudy'); wanted CSV"),
        ("name,s1,s2_cloudy,s2_clear\na,June,,\n", "dates.csv cannot be read (ValueError: "),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "dates.csv"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_dates(file)
    assert str(error.value).startswith(message)


def test_a_table_of_other_patches_is_refused(tmp_path: Path) -> None:
    results = read_results([str(write_evaluation(tmp_path / "one", "m", {"a_1": 30.0}))], "raw")
    file = tmp_path / "dates.csv"
    file.write_text("name,s1,s2_cloudy,s2_clear\nz\n")
    with pytest.raises(InputError, match=r"the 1 names in dates\.csv; wanted names such as a;"):
        with_dates(results, file)
