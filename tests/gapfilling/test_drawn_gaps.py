from __future__ import annotations

import numpy as np
import pytest

from cloudfree.gapfilling.drawn_gaps import GAPS, LEFT_SHARE, TAKEN_SHARE, drawn_gaps
from cloudfree.gapfilling.observation import Where
from tests.factories.fields import square

SCENES = [~square(10, 10, 30), ~square(10, 10, 4), square(0, 0, 40)]


@pytest.mark.parametrize("known", SCENES, ids=["clouds", "hardly a cloud", "mostly clouds"])
def test_gaps_lie_on_clear_ground_and_take_and_leave_enough_of_it(known: Where) -> None:
    gaps = list(drawn_gaps(known))
    assert len(gaps) == GAPS
    for gap in gaps:
        assert not (gap & ~known).any()
        assert TAKEN_SHARE <= gap.sum() / known.sum() <= 1 - LEFT_SHARE


def test_the_same_seed_draws_the_same_gaps() -> None:
    first, again, other = (list(drawn_gaps(SCENES[0], seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_clear_ground_there_is_none() -> None:
    assert not list(drawn_gaps(np.zeros((8, 8), np.bool_)))
