"""Finishing one piece of work on a thread while the next is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def write_behind(write: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call `write` with each item, in order, one item behind whoever makes them.

    An error of either side ends the work and is raised as it is.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: Future[None] | None = None
        for item in items:
            if waiting:
                waiting.result()
            waiting = pool.submit(write, item)
        if waiting:
            waiting.result()
