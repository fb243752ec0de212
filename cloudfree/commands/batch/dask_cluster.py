"""Scenes of a batch on the workers of a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cloudfree.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

CONNECT_S = 30


@contextmanager
def on_cluster(
    work: Callable[[Job], Outcome],
    jobs: Sequence[Job],
    scheduler: str,
    died: Callable[[Job, object], Outcome],
) -> Iterator[Iterator[Outcome]]:
    """What `work` makes of each job on a worker, in the order in which that is done.

    `scheduler` is the address of a Dask scheduler, or a file that it wrote. Of jobs whose workers
    end again and again `died` tells. Whoever leaves the block takes back what has not begun.

    Raises
    ------
    InputError
        Dask is not installed, or there is no such scheduler.
    """
    with _client(scheduler) as client:
        from distributed import as_completed

        futures = {client.submit(work, job, pure=False): job for job in jobs}

        def outcomes() -> Iterator[Outcome]:
            for future in as_completed(futures):  # type: ignore[no-untyped-call]
                if future.status == "finished":
                    yield future.result()
                else:  # its workers died, or the scheduler is gone
                    why = future.exception() if future.status == "error" else future.status
                    yield died(futures[future], why)

        try:
            yield outcomes()
        finally:
            client.cancel(list(futures))


def _client(scheduler: str) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            f"--scheduler {scheduler}, but Dask is not installed",
            wanted="its part distributed",
            hint="pip install 'cloudfree[dask]', here and where the workers run",
        ) from error
    # Where the scheduler goes away, its own stack traces tell no more than the outcomes.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    named = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
    try:
        return Client(**named, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, AssertionError) as error:  # the last of a file that is none of its
        raise InputError(
            f"no Dask scheduler at {scheduler} ({str(error) or type(error).__name__})",
            wanted="its address, as tcp://HOST:8786, or the file that it wrote",
            hint="start one with `dask scheduler`, and workers with `dask worker --nthreads 1`",
        ) from error
