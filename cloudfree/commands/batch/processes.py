"""Work in processes that each take one item after another: a crash ends one item only."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Generic, TypeVar

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

# A forked process would have the locks of this process's threads without the threads.
_CONTEXT = get_context("spawn")


@contextmanager
def in_processes(
    work: Callable[[Job], Outcome],
    jobs: Sequence[Job],
    at_once: int,
    died: Callable[[Job, int], Outcome],
    spent: Callable[[Outcome], bool],
) -> Iterator[Iterator[Outcome]]:
    """The outcome of `work` for each job, in the order in which they are ready.

    At most `at_once` processes run at a time; each takes job after job, so that Python and the
    libraries start once. For a process that ends without an outcome, `died` makes it from the job
    and the exit code, and the next job gets a new process; so it does after an outcome that is
    `spent`, which may have left its process without memory. Exiting the context terminates running
    processes, as `kill` does, and waits for them. `work` is a module-level function that raises
    nothing; jobs and outcomes can be pickled.
    """
    workers = _Workers(work, died, spent)
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(workers.run, job) for job in jobs]
        try:
            yield (future.result() for future in as_completed(futures))
        finally:
            for future in futures:
                future.cancel()
            workers.stop()


class _Workers(Generic[Job, Outcome]):
    """Processes that wait for a job or are at work; threads may share them."""

    def __init__(
        self,
        work: Callable[[Job], Outcome],
        died: Callable[[Job, int], Outcome],
        spent: Callable[[Outcome], bool],
    ) -> None:
        self._work, self._died, self._spent = work, died, spent
        self._lock = Lock()
        self._idle = list[_Worker[Job, Outcome]]()
        self._running = set[_Worker[Job, Outcome]]()
        self._stopped = False

    def run(self, job: Job) -> Outcome:
        """The outcome of a job, on a process that is idle or a new one."""
        worker = self._taken()
        try:
            outcome = worker.run(job)
        except (EOFError, OSError):  # the process has ended: as it waited, or at work
            self._running.discard(worker)
            return self._died(job, worker.end())
        with self._lock:
            self._running.discard(worker)
            is_kept = not (self._stopped or self._spent(outcome))
            if is_kept:
                self._idle.append(worker)
        if not is_kept:
            worker.end()
        return outcome

    def _taken(self) -> _Worker[Job, Outcome]:
        with self._lock:
            alive = [one for one in self._idle if one.is_alive]
            worker = alive.pop() if alive else _Worker(self._work)
            self._idle = alive
            self._running.add(worker)
            if self._stopped:
                worker.terminate()
        return worker

    def stop(self) -> None:
        """End processes that wait, and terminate those at work."""
        with self._lock:
            self._stopped = True
            idle, self._idle = self._idle, []
            for worker in self._running:
                worker.terminate()
        for worker in idle:
            worker.end()


class _Worker(Generic[Job, Outcome]):
    """A process and the pipe to it."""

    def __init__(self, work: Callable[[Job], Outcome]) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, work))
        self._process.start()
        theirs.close()  # else no EOFError comes when the process has ended

    @property
    def is_alive(self) -> bool:
        """Whether the process waits for a job or is at work."""
        return self._process.is_alive()

    def run(self, job: Job) -> Outcome:
        """The outcome of a job; EOFError or OSError if the process ends without one."""
        self._pipe.send(job)
        outcome: Outcome = self._pipe.recv()
        return outcome

    def terminate(self) -> None:
        """Stop the process in the middle of its work, as `kill` does."""
        self._process.terminate()

    def end(self) -> int:
        """Wait for the end of the process, which comes when it has no work; its exit code."""
        self._pipe.close()
        self._process.join()
        return self._process.exitcode or 0


def _serve(pipe: Connection, work: Callable[[Job], Outcome]) -> None:
    """The main function of a process."""
    # Exit as after an error, so that drafts are removed; the parent reports the interruption.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # the exit code of a shell
    Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(work(job))


def _end_with_parent() -> None:
    """End this process when its parent is gone: no one would hear of its work."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
