"""Batches that adapt to the memory there is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.model import Prediction
from cloudfree.inference.sliding_window import StripAccumulator, halve_on_oom


def _released(accumulator: StripAccumulator, *parts: Window) -> list[Float32]:
    """Copies: what is released holds until the next is asked for."""
    return [rows.mean.copy() for rows in accumulator.release(parts)]


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
    accumulator.add(Window(0, 0, 4, 2), Prediction(ones), np.full((4, 2), 1.0, np.float32))
    accumulator.add(Window(0, 1, 4, 2), Prediction(5 * ones), np.full((4, 2), 3.0, np.float32))
    (first,) = _released(accumulator, Window(0, 0, 3, 3))
    assert first[0].tolist() == [[1.0, 4.0, 5.0]] * 3
    accumulator.add(Window(3, 0, 4, 2), Prediction(4 * ones), np.full((4, 2), 1.0, np.float32))
    (second,) = _released(accumulator, Window(3, 0, 4, 3))
    assert second[0, 0].tolist() == [2.5, 4.0, 5.0]
    assert np.isnan(second[0, 1:, 2]).all()
    assert (second[0, 1:, :2] == 4.0).all()


def test_variances_are_blended_and_scrolled_as_means_are() -> None:
    accumulator, rng = StripAccumulator(2, 4, 3), np.random.default_rng(0)
    for tile in (Window(0, 0, 4, 2), Window(0, 1, 4, 2), Window(2, 0, 4, 3)):
        pixels = rng.random((2, tile.height, tile.width), dtype=np.float32)
        weight = rng.random((tile.height, tile.width), dtype=np.float32)
        if tile.row > accumulator.top:
            _check_equal(accumulator, Window(0, 0, 2, 3))
        accumulator.add(tile, Prediction(pixels, pixels.copy()), weight)
    _check_equal(accumulator, Window(2, 0, 4, 3))


def _check_equal(accumulator: StripAccumulator, part: Window) -> None:
    for rows in accumulator.release([part]):
        assert rows.variance is not None
        assert np.isfinite(rows.mean).all()
        assert np.array_equal(rows.mean, rows.variance)


@pytest.mark.parametrize("first", [True, False])
def test_a_tile_without_a_variance_among_others_with_one_is_refused(first: bool) -> None:
    accumulator, ones = StripAccumulator(1, 2, 2), np.ones((1, 2, 2), np.float32)
    predictions = [Prediction(ones), Prediction(ones, ones)]
    add = [
        lambda one=one: accumulator.add(Window(0, 0, 2, 2), one, ones[0])
        for one in (predictions if first else predictions[::-1])
    ]
    add[0]()
    with pytest.raises(ValueError, match="some tiles have a variance and others have none"):
        add[1]()


class Crowded:
    """Squares numbers, as many at once as there is room for."""

    def __init__(self, room: int) -> None:
        self.room, self.sizes, self.refused = room, list[int](), 0

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        if len(numbers) > self.room:
            self.refused += 1
            raise MemoryError(f"{len(numbers)} is too much")
        self.sizes.append(len(numbers))
        return [number**2 for number in numbers]


@given(st.lists(st.lists(st.integers(), max_size=20), max_size=5), st.integers(1, 20))
def test_whatever_the_room_every_tile_is_run_once_and_in_order(
    batches: list[list[int]], room: int
) -> None:
    run = halve_on_oom(Crowded(room))
    assert [list(run(batch)) for batch in batches] == [[n**2 for n in b] for b in batches]


def test_what_was_too_much_once_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    crowded = Crowded(3)
    run = halve_on_oom(crowded)
    for _ in range(3):
        assert len(run(range(8))) == 8
    assert crowded.refused == 2  # 8, then 4
    assert max(crowded.sizes) == 2
    assert "not enough memory for 8 tiles at once: going on with 4" in caplog.text


def test_a_smaller_last_batch_does_not_bound_the_next() -> None:
    crowded = Crowded(8)
    run = halve_on_oom(crowded)
    for count in (8, 3, 8):
        run(range(count))
    assert crowded.sizes == [8, 3, 8]


def test_no_room_for_one_tile_is_refused() -> None:
    with pytest.raises(ModelError, match=r"not enough memory for one tile .*smaller --tile"):
        halve_on_oom(Crowded(0))(range(4))
