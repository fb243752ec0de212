"""Threads beside the caller: loading ahead, and writing asynchronously."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event
from typing import Any, TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


class Threads(ThreadPoolExecutor):
    """Threads whose work has the context of its caller, such as how far names in files may lead."""

    def submit(self, fn: Callable[..., Loaded], /, *args: Any, **kwargs: Any) -> Future[Loaded]:
        """Do the work on one of the threads."""
        return super().submit(copy_context().run, fn, *args, **kwargs)


@contextmanager
def prefetch(
    load: Callable[[Item], Loaded], items: Iterable[Item], ahead: int = 2, threads: int = 1
) -> Iterator[Iterator[tuple[Item, Loaded]]]:
    """Each item with the result of `load`, in order, loaded at most `ahead` items ahead.

    At most `threads` items are loaded at once. An error of `load` is raised where its item would
    be yielded. Exiting the context waits for running loads and ends the threads, so that the files
    that `load` reads can be closed. A plain generator would keep its threads after an error until
    the garbage collector ends them, which can deadlock with a thread that is being started (CPython
    3.11, threading._shutdown_locks_lock).
    """
    waiting: deque[tuple[Item, Future[Loaded]]] = deque()

    def in_order(pool: Threads) -> Iterator[tuple[Item, Loaded]]:
        for item in items:
            waiting.append((item, pool.submit(load, item)))
            if len(waiting) > ahead:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)

    with Threads(max_workers=threads) as pool:
        try:
            yield in_order(pool)
        finally:
            for _, future in waiting:
                future.cancel()


def _first(waiting: deque[tuple[Item, Future[Loaded]]]) -> tuple[Item, Loaded]:
    item, future = waiting.popleft()
    return item, future.result()


def write_async(write: Callable[[Item], None], items: Iterable[Item], behind: int = 1) -> None:
    """Call `write` with each item on another thread, in order; at most `behind` items wait.

    An error of `items` or of `write` ends the work and is raised unchanged.
    """
    failed = Event()

    def write_unless_failed(item: Item) -> None:
        try:
            if not failed.is_set():
                write(item)
        except BaseException:
            failed.set()  # waiting items are not written
            raise

    with Threads(max_workers=1) as pool:
        waiting: deque[Future[None]] = deque()
        for item in items:
            waiting.append(pool.submit(write_unless_failed, item))
            if len(waiting) > behind:
                waiting.popleft().result()
        for future in waiting:
            future.result()
