"""Working in processes that live as long as one piece of work."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Started afresh: a copy of this process would have its threads' locks without its threads.
_START = get_context("spawn")


@contextmanager
def in_processes(
    work: Callable[[Item], Answer],
    items: Sequence[Item],
    at_once: int,
    died: Callable[[Item, int], Answer],
) -> Iterator[Iterator[Answer]]:
    """What `work` makes of each item, in the order in which that is done.

    Each item has a process of its own, at most `at_once` of them at once: its memory goes with it,
    and what takes it down takes it alone. For one that ends without an answer `died` answers, from
    the item and the exit code. Whoever leaves the block ends those that are still at work, as
    `kill` does, and waits for them. `work` is a function of a module and raises nothing; items and
    answers can be pickled.
    """
    running: set[BaseProcess] = set()
    left = Event()

    def ask(item: Item) -> Answer:
        receiver, sender = _START.Pipe(duplex=False)
        process = _START.Process(target=_answer, args=(sender, work, item))
        process.start()
        running.add(process)
        if left.is_set():
            process.terminate()
        sender.close()  # so that nothing comes where the process has ended
        try:
            answer: Answer = receiver.recv()
        except EOFError:
            process.join()
            answer = died(item, process.exitcode or 0)
        process.join()
        running.discard(process)
        return answer

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(ask, item) for item in items]
        try:
            yield (future.result() for future in as_completed(futures))
        finally:
            left.set()
            for future in futures:
                future.cancel()
            for process in tuple(running):
                process.terminate()


def _answer(sender: Connection, work: Callable[[Item], Answer], item: Item) -> None:
    """What the process does."""
    # The way out is that of an error, so that drafts go away; the parent tells of an interruption.
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda number, _: sys.exit(128 + number))  # as a shell has it
    sender.send(work(item))
