from __future__ import annotations

import numpy as np
import pytest

from cloudfree.gapfilling.smoothing import distance, spread
from tests.factories.fields import SIDE, square

ELSEWHERE = np.array([7.0], np.float32)


def test_where_nothing_is_known_there_is_what_is_elsewhere() -> None:
    nothing = np.zeros((SIDE, SIDE), np.float32)
    assert (spread(nothing[None], nothing, ELSEWHERE) == 7).all()


def test_a_constant_stays_it() -> None:
    weight = (~square(20, 20, 20)).astype(np.float32)
    values = np.full((1, SIDE, SIDE), 3, np.float32)
    found = spread(values, weight, np.array([3.0], np.float32))
    assert found == pytest.approx(values, abs=1e-4)


def test_values_are_kept_inside_of_what_is_known() -> None:
    values = np.where(np.arange(SIDE) < SIDE // 2, 1.0, 2.0) * np.ones((1, SIDE, SIDE))
    found = spread(values.astype(np.float32), np.ones((SIDE, SIDE), np.float32), ELSEWHERE)
    assert found[0, :, 10] == pytest.approx(1, abs=0.01)
    assert found[0, :, -10] == pytest.approx(2, abs=0.01)


def test_distance_is_to_the_nearest_known_node() -> None:
    known = np.zeros((5, 9), np.bool_)
    assert (distance(known) == 9).all()
    known[0, 0] = True
    assert distance(known)[3, 4] == pytest.approx(5)
    assert distance(known)[0, 0] == 0
