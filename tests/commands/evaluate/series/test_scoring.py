"""Fills of cases whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cloudfree.commands.evaluate.series.cases import Case, best_others
from cloudfree.commands.evaluate.series.fills import FILLS
from cloudfree.commands.evaluate.series.scoring import (
    MIN_SCORED,
    closeness,
    is_scorable,
    score_case,
)
from tests.factories.date_series import BANDS, HIDDEN_ROWS, SIDE, date


def _case(*others: int, light: float = 1.0) -> Case:
    """A clear date under the first rows of another, and clear dates that may fill it."""
    found = tuple(date(day, 1 + 0.01 * day) for day in others)
    return Case(date(0, light), date(100, hidden_rows=HIDDEN_ROWS), found)


def test_every_fill_is_scored_on_hidden_pixels_alone() -> None:
    found = score_case(_case(-5, 8), BANDS, "both")
    assert tuple(found.figures) == FILLS
    assert found.scored_pixels == HIDDEN_ROWS * SIDE
    assert found.clear_pixels == (SIDE - HIDDEN_ROWS) * SIDE
    assert found.cover_share == pytest.approx(HIDDEN_ROWS / SIDE)
    assert (found.name, found.nearest_days) == ("day 0 under day 100", 5)


def test_ground_that_only_changed_its_light_is_filled_but_for_noise() -> None:
    found = score_case(_case(-5, 8, light=0.7), BANDS, "both")
    ours = found.figures["cloudfree"]
    assert ours.psnr is not None and ours.psnr > 50
    assert ours.mae == pytest.approx(0.002, rel=0.4)
    assert found.figures["last clear"].psnr < 40 < found.figures["gain"].psnr  # type: ignore[operator]
    assert 0.4 < found.within_1 < found.within_2
    assert found.over_gain_db == pytest.approx(ours.psnr - found.figures["gain"].psnr, abs=0.01)  # type: ignore[operator]


def test_the_gain_is_compared_where_it_knows_the_ground() -> None:
    case = _case(-5)
    (other,) = case.others
    hidden = other.hidden.copy()
    hidden[:2] = True
    found = score_case(replace(case, others=(replace(other, hidden=hidden),)), BANDS, "both")
    gain, ours = found.figures["gain"].psnr, found.figures["cloudfree"].psnr
    assert gain is not None and ours is not None
    assert found.over_gain_db > ours - gain + 1, "our two rows that it does not know are worse"


def test_the_references_are_those_that_remove_takes() -> None:
    # The nearest hides what is wanted; of the others the nearer are worth more.
    blind = date(1, hidden_rows=HIDDEN_ROWS)
    case = replace(_case(2, -30, 40, -50, 60), others=(blind, *_case(2, -30, 40, -50, 60).others))
    assert score_case(case, BANDS, "both").references == ("day 2", "day -30", "day 40", "day -50")
    assert [one.name for one in best_others(case, 1).others] == ["day 2"]


def test_a_case_of_few_hidden_pixels_says_little() -> None:
    case = _case(-5)
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden.flat[:MIN_SCORED] = True
    assert is_scorable(replace(case, cover=replace(case.cover, hidden=hidden)))
    hidden.flat[0] = False
    assert not is_scorable(replace(case, cover=replace(case.cover, hidden=hidden)))


def test_closeness_by_hand() -> None:
    truth = np.array([[0.3, 0.0, 0.3], [0.0, 0.3, 0.3]], np.float32)
    image = np.array([[0.4, 0.3, np.nan], [0.0, 0.3, 0.3]], np.float32)
    found = closeness(truth, image)
    assert found.psnr == pytest.approx(-10 * np.log10((0.01 + 0.09) / 4))
    assert found.sam == pytest.approx((0 + 45) / 2, abs=0.1)
    assert found.mae == pytest.approx(0.1)


def test_what_knows_nothing_has_no_figures() -> None:
    nothing = np.full((2, 3), np.nan, np.float32)
    found = closeness(np.ones((2, 3), np.float32), nothing)
    assert (found.psnr, found.sam, found.mae) == (None, None, None)
