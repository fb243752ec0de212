"""Each item of work in a process of its own."""

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
Result = TypeVar("Result")

# A forked process would have the locks of this process's threads without the threads.
_CONTEXT = get_context("spawn")


@contextmanager
def in_processes(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    at_once: int,
    died: Callable[[Item, int], Result],
) -> Iterator[Iterator[Result]]:
    """The results of `work` for each item, in the order in which they are ready.

    Each item runs in a process of its own, at most `at_once` at a time: its memory is freed with
    the process, and a crash ends no other item. For a process that ends without a result, `died`
    makes it from the item and the exit code. Exiting the context terminates running processes, as
    `kill` does, and waits for them. `work` is a module-level function that raises nothing; items
    and results can be pickled.
    """
    running: set[BaseProcess] = set()
    stopped = Event()

    def run(item: Item) -> Result:
        receiver, sender = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_send_result, args=(sender, work, item))
        process.start()
        running.add(process)
        if stopped.is_set():
            process.terminate()
        sender.close()  # else no EOFError comes when the process has ended
        try:
            result: Result = receiver.recv()
        except EOFError:
            process.join()
            result = died(item, process.exitcode or 0)
        process.join()
        running.discard(process)
        return result

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(run, item) for item in items]
        try:
            yield (future.result() for future in as_completed(futures))
        finally:
            stopped.set()
            for future in futures:
                future.cancel()
            for process in tuple(running):
                process.terminate()


def _send_result(sender: Connection, work: Callable[[Item], Result], item: Item) -> None:
    """The main function of the process."""
    # Exit as after an error, so that drafts are removed; the parent reports the interruption.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # the exit code of a shell
    sender.send(work(item))
