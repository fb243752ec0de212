"""Adding tiles up, row by row."""

from __future__ import annotations

import warnings

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.core.window import Window
from cloudfree.inference.accumulator import StripAccumulator


def _released(accumulator: StripAccumulator, *parts: Window) -> list[Float32]:
    """Copies: what is released holds until the next is asked for."""
    return [rows.copy() for rows in accumulator.release(parts)]


def test_rows_that_no_tile_covers_are_no_number_and_no_warning() -> None:
    accumulator = StripAccumulator(2, 4, 5)
    parts = [Window(0, 0, 1, 5), Window(1, 0, 2, 5)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        released = _released(accumulator, *parts)
    assert [rows.shape for rows in released] == [(2, 1, 5), (2, 2, 5)]
    assert all(np.isnan(rows).all() for rows in released)
    assert accumulator.top == 3


def test_what_is_released_is_the_weighted_mean_and_the_rest_scrolls_up() -> None:
    accumulator = StripAccumulator(1, 4, 3)
    ones = np.ones((1, 4, 2), np.float32)
    accumulator.add(Window(0, 0, 4, 2), ones, np.full((4, 2), 1.0, np.float32))
    accumulator.add(Window(0, 1, 4, 2), 5 * ones, np.full((4, 2), 3.0, np.float32))
    (first,) = _released(accumulator, Window(0, 0, 3, 3))
    assert first[0].tolist() == [[1.0, 4.0, 5.0]] * 3
    accumulator.add(Window(3, 0, 4, 2), 4 * ones, np.full((4, 2), 1.0, np.float32))
    (second,) = _released(accumulator, Window(3, 0, 4, 3))
    assert second[0, 0].tolist() == [2.5, 4.0, 5.0]
    assert np.isnan(second[0, 1:, 2]).all()
    assert (second[0, 1:, :2] == 4.0).all()
