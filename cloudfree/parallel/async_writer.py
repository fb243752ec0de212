"""Finishing one piece of work on a thread while the next is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")


def write_async(write: Callable[[Item], None], items: Iterable[Item], behind: int = 1) -> None:
    """Call `write` with each item, in order, at most `behind` items behind whoever makes them.

    An error of either side ends the work and is raised as it is.
    """
    failed = Event()

    def write_unless_failed(item: Item) -> None:
        try:
            if not failed.is_set():
                write(item)
        except BaseException:
            failed.set()  # what waits already has no use any more
            raise

    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: deque[Future[None]] = deque()
        for item in items:
            waiting.append(pool.submit(write_unless_failed, item))
            if len(waiting) > behind:
                waiting.popleft().result()
        for future in waiting:
            future.result()
