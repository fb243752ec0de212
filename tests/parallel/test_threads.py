"""Prefetching and asynchronous writing: every item once, in order, no error lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.parallel.threads import Threads, prefetch, write_async
from tests.factories.patience import PATIENCE_S


@given(st.lists(st.integers(), max_size=20), st.integers(0, 5), st.integers(1, 4))
def test_every_item_comes_once_and_in_order(items: list[int], ahead: int, threads: int) -> None:
    with prefetch(lambda item: item**2, items, ahead, threads) as loaded:
        assert list(loaded) == [(n, n**2) for n in items]


@given(st.integers(0, 4), st.integers(0, 12))
def test_no_more_than_that_many_items_are_ahead(ahead: int, count: int) -> None:
    begun: list[int] = []
    with prefetch(begun.append, range(count), ahead) as loaded:
        for item, _ in loaded:
            assert len(begun) <= item + 1 + ahead
    assert begun == list(range(count))


def test_the_next_item_is_loaded_while_the_first_is_used() -> None:
    second_loaded = threading.Event()

    def load(item: int) -> None:
        if item == 2:
            second_loaded.set()

    with prefetch(load, [1, 2], ahead=1) as loaded:
        for item, _ in loaded:
            assert item == 2 or second_loaded.wait(PATIENCE_S)


@pytest.mark.parametrize("threads", [2, 3])
def test_as_many_items_are_loaded_at_once_as_there_are_threads(threads: int) -> None:
    together = threading.Barrier(threads)
    items = range(2 * threads)
    with prefetch(lambda _: together.wait(PATIENCE_S), items, threads, threads) as loaded:
        assert len(list(loaded)) == 2 * threads


@pytest.mark.parametrize("bad", [1, 3])
def test_an_error_comes_at_its_place(bad: int) -> None:
    def load(item: int) -> int:
        if item == bad:
            raise OSError(f"{item} is broken")
        return item

    seen = []
    with (
        pytest.raises(OSError, match=f"{bad} is broken"),
        prefetch(load, [0, 1, 2, 3]) as loaded,
    ):
        for item, _ in loaded:
            seen.append(item)
    assert seen == list(range(bad))


def test_an_error_of_the_items_ends_the_work() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with (
        pytest.raises(ValueError, match="no more"),
        prefetch(lambda item: item, items()) as loaded,
    ):
        list(loaded)


def test_exiting_early_waits_for_running_loads_only() -> None:
    begun: list[int] = []
    may_end = threading.Event()

    def load(item: int) -> None:
        begun.append(item)
        assert item == 0 or may_end.wait(PATIENCE_S)

    with prefetch(load, range(9), ahead=4) as loaded:
        next(loaded)
        threading.Timer(0.05, may_end.set).start()
    assert begun in ([0], [0, 1]), "waiting items are dropped"


def test_no_thread_is_left_though_the_error_that_ended_the_work_is_kept() -> None:
    """The garbage collector must not have to end one: it may stop another that is starting."""
    before = set(threading.enumerate())
    with (
        pytest.raises(OSError, match="disk full") as error,
        prefetch(lambda item: item, range(9), threads=3) as loaded,
    ):
        next(loaded)
        raise OSError("disk full")
    assert error.traceback
    assert set(threading.enumerate()) <= before


def test_work_has_the_context_of_its_caller_and_of_the_moment_it_is_given() -> None:
    """Such as how far names in files may lead, which threads would not know else."""
    place: ContextVar[str] = ContextVar("place", default="nowhere")
    place.set("here")
    with prefetch(lambda _: place.get(), range(3), ahead=1, threads=2) as loaded:
        assert {found for _, found in loaded} == {"here"}
    with Threads(1) as threads:
        first = threads.submit(place.get)
        place.set("there")
        assert [first.result(), *threads.map(lambda _: place.get(), [0])] == ["here", "there"]
        threads.submit(place.set, "in a thread").result()
    assert place.get() == "there"


@given(st.lists(st.integers(), max_size=20))
def test_every_item_is_written_once_and_in_order(items: list[int]) -> None:
    written: list[int] = []
    write_async(written.append, items)
    assert written == items


def test_an_item_is_written_while_the_next_is_made() -> None:
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


def test_an_error_of_the_items_ends_the_writing() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_async(lambda _: None, items())
