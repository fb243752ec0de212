"""Loading ahead on threads of its own while the caller computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


@contextmanager
def prefetch(
    load: Callable[[Item], Loaded], items: Iterable[Item], ahead: int = 2, threads: int = 1
) -> Iterator[Iterator[tuple[Item, Loaded]]]:
    """Each item with what `load` makes of it, in order, at most `ahead` items ahead.

    At most `threads` items are loaded at once. An error of `load` is raised where its item would
    have been yielded. Whoever leaves the block waits for what is being loaded, and no thread is
    left: what `load` reads may be closed then. Were this a mere generator, an error would keep its
    threads until the garbage collector ends them, which for ever stops a thread that is just being
    started (CPython 3.11, threading._shutdown_locks_lock).
    """
    waiting: deque[tuple[Item, Future[Loaded]]] = deque()

    def in_order(pool: ThreadPoolExecutor) -> Iterator[tuple[Item, Loaded]]:
        for item in items:
            waiting.append((item, pool.submit(load, item)))
            if len(waiting) > ahead:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        try:
            yield in_order(pool)
        finally:
            for _, future in waiting:
                future.cancel()


def _first(waiting: deque[tuple[Item, Future[Loaded]]]) -> tuple[Item, Loaded]:
    item, future = waiting.popleft()
    return item, future.result()
