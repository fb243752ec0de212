"""Which dates of a place are the truth, and below whose clouds."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.commands.evaluate.series.cases import COVERS, Date, best_others, cases
from tests.factories.fields import BANDS, SIDE, ground, square

FIRST_CLOUD, SECOND_CLOUD, OVERCAST = square(0, 0, 30), square(30, 30, 30), square(0, 0, 64)


def _date(name: str, day: float, size: int | None = None) -> Date:
    hidden = np.zeros((SIDE, SIDE), np.bool_) if size is None else square(0, 0, size)
    return Date(name, day, ground(int(day)), hidden)


DATES = [
    _date("a", 0),
    Date("first cover", 10, ground(10), FIRST_CLOUD),
    _date("b", 20),
    Date("second cover", 30, ground(30), SECOND_CLOUD),
    Date("third cover", 32, ground(32), square(10, 10, 40)),
    _date("c", 41),
    Date("overcast", 50, ground(50), OVERCAST),
]


def test_only_clear_dates_are_truths_and_covers_come_in_turn() -> None:
    found = [one.name for one in cases(DATES, earlier_only=False)]
    assert found == [
        "a under first cover",
        "a under second cover",
        "b under third cover",
        "b under first cover",
        "c under second cover",
        "c under third cover",
    ]
    assert len(found) == 3 * COVERS


def test_others_are_nearest_first_without_the_cover_and_without_what_shows_nothing() -> None:
    case = next(one for one in cases(DATES, earlier_only=False) if one.truth.name == "b")
    assert case.cover.name == "third cover"
    assert [one.name for one in case.others] == ["first cover", "second cover", "a", "c"]
    assert [one.name for one in case.clear_others] == ["a", "c"]
    assert case.days(case.others[0]) == -10


def test_the_best_other_shows_more_of_what_is_hidden_than_the_nearest() -> None:
    case = next(one for one in cases(DATES, earlier_only=False) if one.truth.name == "b")
    assert [one.name for one in best_others(case, 2).others] == ["a", "first cover"]


def test_earlier_dates_alone_may_be_asked_for() -> None:
    found = list(cases(DATES, earlier_only=True))
    # The first clear date has none before it.
    assert {one.truth.name for one in found} == {"b", "c"}
    assert all(other.day < one.truth.day for one in found for other in one.others)


@pytest.mark.parametrize("dates", [DATES[:2], [DATES[0], DATES[2]]], ids=["alone", "no clouds"])
def test_without_another_clear_date_or_clouds_there_is_no_case(dates: list[Date]) -> None:
    assert not list(cases(dates, earlier_only=False))


def test_hidden_pixels_without_a_truth_are_not_scored() -> None:
    image = ground(1)
    image[:, 0] = np.nan
    truth = Date("truth", 1, image, np.zeros((SIDE, SIDE), np.bool_))
    case = next(cases([truth, *DATES], earlier_only=False))
    assert case.truth is truth
    assert not case.scored[0].any()
    assert np.array_equal(case.scored[1:], case.cover.hidden[1:])
    assert np.array_equal(np.isnan(case.today[0]), case.cover.hidden | np.isnan(image[0]))


def test_cover_counts_what_has_no_data() -> None:
    image = ground(1)
    image[0, :32] = np.nan
    date = Date("half", 0, image, square(32, 0, 32))
    assert date.cover == pytest.approx(0.75)


def test_its_stack_shows_others_without_their_clouds() -> None:
    case = next(iter(cases(DATES, earlier_only=False)))
    stack = case.stack(BANDS)
    assert [one.name for one in stack.references] == [one.name for one in case.others]
    assert [one.days for one in stack.references] == [one.day for one in case.others]
    for other, shown in zip(case.others, stack.others, strict=True):
        assert np.array_equal(np.isnan(shown[0]), other.hidden)
