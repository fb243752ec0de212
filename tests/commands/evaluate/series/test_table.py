"""Means of cases in groups, and the table that shows them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudfree.commands.evaluate.series.scoring import Closeness
from cloudfree.commands.evaluate.series.table import Row, rows, series_table
from tests.factories.scored_cases import scored_case


def _row(found: list[Row], group: str) -> Row:
    (row,) = [one for one in found if (one.measure, one.group) == ("psnr", group)]
    return row


def test_a_row_is_the_mean_of_its_cases() -> None:
    row = _row([*rows([scored_case(30), scored_case(34)])], "all")
    assert (row.cases, row.means["cloudfree"], row.means["gain"]) == (2, 32, 20)


def test_a_fill_that_knows_nothing_of_a_case_is_left_out_of_its_mean() -> None:
    case = scored_case(30)
    blind = replace(case, figures={**case.figures, "cloudfree": Closeness(None, None, None)})
    found = [*rows([case, blind])]
    assert _row(found, "all").means["cloudfree"] == 30
    assert _row([*rows([blind])], "all").means["cloudfree"] is None
    assert "cloudfree" in series_table([blind], [*rows([blind])])


@pytest.mark.parametrize(
    ("days", "group"),
    [
        ((15.0, -90.0), "up to 15 days"),
        ((-15.5,), "up to 30 days"),
        ((60.0,), "up to 60 days"),
        ((-120.0, 300.0), "up to 120 days"),
        ((121.0,), "121 days and more"),
        ((), "121 days and more"),
    ],
)
def test_a_case_has_the_age_of_its_nearest_reference(days: tuple[float, ...], group: str) -> None:
    found = [*rows([scored_case(days=days)])]
    aged = [one.group for one in found if "days" in one.group]
    assert aged == [group]


@pytest.mark.parametrize(
    ("share", "group"),
    [
        (0.24, "below 25% hidden"),
        (0.25, "below 50% hidden"),
        (0.5, "50% and more hidden"),
        (1.0, "50% and more hidden"),
    ],
)
def test_a_case_has_the_cover_of_its_scene(share: float, group: str) -> None:
    found = [*rows([scored_case(cover_share=share)])]
    assert [one.group for one in found if "hidden" in one.group] == [group]


def test_each_kind_of_sources_has_a_table_with_its_worst_case() -> None:
    cases = [
        scored_case(30, sources="earlier"),
        scored_case(19.5, sources="earlier", within_1=0.5, truth="2018-06-01"),
        scored_case(40),
    ]
    earlier, both = series_table(cases, [*rows(cases)]).split("\n\n")
    lines = earlier.splitlines()
    assert lines[0].split("  ")[0] == "filled from earlier dates"
    assert lines[1].split()[:5] == ["PSNR", "in", "dB,", "all", "2"]
    assert lines[1].endswith("24.75")
    assert "errors of cloudfree within one expected deviation 60.0%, within two 90.0%" in lines
    assert lines[-1] == "worst against gain: -0.50 dB, 2018-06-01 under 2018-07-01"
    assert both.startswith("filled from earlier and later dates")
    assert "SAM in degrees, all" in both and "0.0100" in both
