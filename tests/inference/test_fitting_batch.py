"""Batches that adapt to the memory there is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import ModelError
from cloudfree.inference.fitting_batch import halve_on_oom


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
