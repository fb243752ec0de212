"""The best dates are found without looking at all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.remove.references.ranking import Ranked, choose, likeness

HIDDEN = np.ones((1, 4), np.float32)


def _bits(*shown: int) -> np.ndarray:
    return np.array([shown], dtype=bool)


def _chosen(
    shows: dict[float, np.ndarray | None], most: int, refused: frozenset[float] = frozenset()
) -> tuple[list[float], list[float], list[float]]:
    """Dates by their age: those taken, those looked at, and those that are left."""
    taken, looked = [], []

    def look(days: float) -> np.ndarray | None:
        looked.append(days)
        return shows[days]

    def take(days: float) -> bool:
        if days not in refused:
            taken.append(days)
        return days not in refused

    left = choose([Ranked(days, days) for days in shows], HIDDEN, most, look, take)
    return taken, looked, left


@given(st.floats(0, 2000), st.floats(0, 30))
def test_the_nearer_is_the_liker_and_earlier_is_as_good_as_later(age: float, more: float) -> None:
    assert 0 <= likeness(age) <= likeness(0) == 1
    assert likeness(age) == likeness(-age)
    if age <= 150:
        assert likeness(age + more) <= likeness(age)


def test_the_same_season_is_worth_twice_the_opposite_one() -> None:
    lasting = np.exp(-0.25 * 365.25 / 60)
    assert likeness(365.25 * 1.5) / likeness(365.25) == pytest.approx(lasting**2 / 2)


def test_a_date_that_is_not_dated_comes_last() -> None:
    assert likeness(None) < likeness(400)


def test_of_equal_dates_the_nearest_is_taken_and_others_are_not_looked_at() -> None:
    everything = _bits(1, 1, 1, 1)
    shows = {30.0: everything, -5.0: everything, 90.0: everything}
    assert _chosen(shows, 1) == ([-5.0], [-5.0], [30.0, 90.0])


def test_what_a_better_one_shows_counts_no_more() -> None:
    shows = {5.0: _bits(1, 1, 1, 0), 10.0: _bits(1, 1, 0, 0), 20.0: _bits(0, 0, 0, 1)}
    assert _chosen(shows, 2)[0] == [5.0, 20.0]


def test_where_nothing_is_left_to_show_the_nearest_follows() -> None:
    shows = {20.0: _bits(1, 1, 1, 1), 5.0: _bits(1, 1, 1, 1), 9.0: _bits(0, 0, 0, 1)}
    assert _chosen(shows, 3)[0] == [5.0, 9.0, 20.0]


def test_a_near_date_that_shows_little_yields_to_a_farther_one() -> None:
    shows = {2.0: _bits(1, 0, 0, 0), 30.0: _bits(0, 1, 1, 1)}
    assert _chosen(shows, 1) == ([30.0], [2.0, 30.0], [2.0])


def test_what_is_refused_makes_room_for_the_next() -> None:
    everything = _bits(1, 1, 1, 1)
    shows = {1.0: None, 2.0: everything, 3.0: everything, 4.0: everything}
    assert _chosen(shows, 1, frozenset({2.0})) == ([3.0], [1.0, 2.0, 3.0], [4.0])


def test_a_pixel_that_is_hidden_in_part_counts_in_part() -> None:
    hidden = np.array([[0.2, 0.9]], np.float32)
    one, other = Ranked("a", 1.0, _bits(1, 0)), Ranked("b", 1.0, _bits(0, 1))
    values = [ranked.value(hidden, 1.1) for ranked in (one, other, Ranked("c", 1.0))]
    assert values == sorted(values)
    assert [value for value, _ in values] == pytest.approx(
        np.array([0.2, 0.9, 1.1]) * likeness(1.0)
    )


def test_what_is_hidden_stays_the_callers() -> None:
    hidden = HIDDEN.copy()
    choose([Ranked(1, 1.0)], hidden, 1, lambda _: _bits(1, 1, 1, 1), lambda _: True)
    assert np.array_equal(hidden, HIDDEN)
