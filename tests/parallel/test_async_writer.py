"""Writing on a thread behind whoever makes the pieces: in order, all of them, no error lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.parallel.async_writer import write_async
from tests.factories.patience import PATIENCE_S


@given(st.lists(st.integers(), max_size=20))
def test_every_item_is_written_once_and_in_order(items: list[int]) -> None:
    written: list[int] = []
    write_async(written.append, items)
    assert written == items


def test_it_is_written_while_the_next_item_is_made() -> None:
    second_made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second_made.set()
        yield 2

    written: list[int] = []

    def write(item: int) -> None:
        assert item == 2 or second_made.wait(PATIENCE_S), (
            "the first waits for the second to be made"
        )
        written.append(item)

    write_async(write, items())
    assert written == [1, 2]


@given(st.integers(1, 4), st.integers(0, 12))
def test_no_more_than_that_many_items_wait(behind: int, count: int) -> None:
    written: list[int] = []

    def items() -> Iterator[int]:
        for item in range(count):
            # One more than may wait is at work.
            assert item - len(written) <= behind + 1
            yield item

    write_async(written.append, items(), behind)
    assert written == list(range(count))


def test_after_an_error_nothing_that_waits_is_written() -> None:
    all_made = threading.Event()
    written: list[int] = []

    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        all_made.set()

    def write(item: int) -> None:
        assert all_made.wait(PATIENCE_S), "all three wait before the first is written"
        written.append(item)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_async(write, items(), behind=3)
    assert written == [1]


@pytest.mark.parametrize("last", [1, 3])
def test_an_error_of_the_writer_ends_the_work(last: int) -> None:
    def write(item: int) -> None:
        if item == last:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_async(write, [1, 2, 3])


def test_an_error_of_the_maker_ends_the_work() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_async(lambda _: None, items())
