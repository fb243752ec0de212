"""Loading ahead on threads of its own while the caller computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


def prefetch(
    load: Callable[[Item], Loaded], items: Iterable[Item], ahead: int = 2, threads: int = 1
) -> Iterator[tuple[Item, Loaded]]:
    """Each item with what `load` makes of it, in order, at most `ahead` items ahead.

    At most `threads` items are loaded at once.

    An error of `load` is raised where its item would have been yielded.
    """
    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting: deque[tuple[Item, Future[Loaded]]] = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(load, item)))
                if len(waiting) > ahead:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        finally:
            for _, future in waiting:
                future.cancel()


def _first(waiting: deque[tuple[Item, Future[Loaded]]]) -> tuple[Item, Loaded]:
    item, future = waiting.popleft()
    return item, future.result()
