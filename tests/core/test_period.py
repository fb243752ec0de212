"""Days in options, and as a STAC API is asked for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloudfree.core.period import Period
from cloudfree.errors import InputError


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("2022-06-05", "2022-06-05T00:00:00Z/2022-06-05T23:59:59Z"),
        ("2022-06-01/2022-06-30", "2022-06-01T00:00:00Z/2022-06-30T23:59:59Z"),
    ],
)
def test_days_are_whole(text: str, asked: str) -> None:
    assert Period.from_text(text).to_text() == asked


@pytest.mark.parametrize("text", ["June", "2022-06-30/2022-06-01", "/"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        Period.from_text(text)
    assert str(error.value).startswith(f"--date {text}; wanted a day such as 2022-06-05, or two")


def test_days_around_a_moment_reach_both_ways() -> None:
    around = Period.around(datetime(2022, 6, 5, 12, tzinfo=UTC), 1.5)
    assert around.to_text() == "2022-06-04T00:00:00Z/2022-06-07T00:00:00Z"


def test_a_refusal_names_the_option() -> None:
    with pytest.raises(InputError, match=r"--hold-out 2022-13-01; .*; correct --hold-out"):
        Period.from_text("2022-13-01", "--hold-out")


def test_what_an_answer_has_may_lie_a_day_beside_what_was_asked_for() -> None:
    june = Period.from_text("2022-06-05")
    for text, near in (("2022-06-05T12:00", True), ("2022-06-04T00:30", True),
                       ("2022-06-06T23:00", True), ("2022-06-03T23:00", False),
                       ("2022-06-07T12:00", False), ("0001-01-01T00:00", False)):  # fmt: skip
        assert june.is_near(datetime.fromisoformat(text).replace(tzinfo=UTC)) == near, text


@pytest.mark.parametrize("days", [1e7, 1e300])
def test_a_period_ends_where_all_years_do(days: float) -> None:
    found = Period.around(datetime(2022, 6, 5, tzinfo=UTC), days)
    assert found.to_text() == "0001-01-01T00:00:00Z/9999-12-31T23:59:59Z"
