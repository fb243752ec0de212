"""One scene of a batch, as a process fills it, and the workers of a Dask cluster."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cloudfree.commands.batch.options import SceneOutcome, State
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.terminal import captured_warnings
from cloudfree.errors import CloudfreeError, ErrorCode, InputError, code_of
from cloudfree.parallel.environment import limit_malloc_arenas, set_library_defaults
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.used_reference import UsedReference

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class SceneJob:
    """A scene of a batch; `threads` is how many its process may use, None for all.

    `others` are the names of the scenes that `options` has as references, in their order. With
    `verbose` the outcome has the messages of the scene.
    """

    name: str
    options: RemoveOptions
    threads: int | None = None
    others: tuple[str, ...] = ()
    verbose: bool = False

    @property
    def s1(self) -> Path | None:
        """The radar of the scene, None if it has none."""
        return next(iter(self.options.s1), None)

    def outcome(self) -> SceneOutcome:
        """Outcome of a scene whose result exists already."""
        options = self.options
        return SceneOutcome(self.name, "skipped", options.s2, self.s1, options.result)

    def with_masks(self, folder: Path) -> SceneJob:
        """The same job, which keeps the masks that it makes in a folder."""
        return replace(self, options=replace(self.options, masks=folder))

    def names_of(self, references: Sequence[UsedReference]) -> tuple[str, ...]:
        """The names of the scenes that were used; of one that a folder holds that of its file."""
        folder = self.options.result.parent
        paths = (relative_to(folder, path) for path in self.options.references)
        names = dict(zip(paths, self.others, strict=True))
        return tuple(names.get(one.path, one.path.name) for one in references)

    def failed(self, message: str, code: ErrorCode) -> SceneOutcome:
        """Outcome of a scene that failed."""
        failed = replace(self.outcome(), state="failed", message=message)
        return replace(failed, code=code, retry=code.retry)

    def again(self) -> SceneJob:
        """The same job after a failure, which may have left files beside the result."""
        return replace(self, options=replace(self.options, overwrite=True))


def fill_scene(job: SceneJob) -> SceneOutcome:
    """`cloudfree remove` of one scene; every error becomes its outcome."""
    set_library_defaults()
    limit_malloc_arenas()
    if job.threads:  # before torch is loaded
        os.environ["OMP_NUM_THREADS"] = str(job.threads)
    start = time.monotonic()
    details = list[str]()
    with captured_warnings(details if job.verbose else None) as warnings:
        outcome = _run_remove(job)
    return replace(
        outcome,
        seconds=round(time.monotonic() - start, 1),
        warnings=tuple(warnings),
        details=tuple(details),
    )


def _run_remove(job: SceneJob) -> SceneOutcome:
    from cloudfree.commands.remove import run as remove
    from cloudfree.core.terminal import silent

    try:
        result = remove.run(job.options, silent)
    except CloudfreeError as error:
        return job.failed(str(error), error.code)
    except MemoryError as error:
        return job.failed(
            f"not enough memory ({error}); wanted room for a scene; ask for less --jobs",
            code_of(error),
        )
    except Exception as error:  # an error of one scene must not stop the others
        return job.failed(
            f"{type(error).__name__} ({error}); wanted none; run `cloudfree remove` for it alone",
            code_of(error),
        )
    state: State = "filled" if result.written else "checked"
    return replace(
        job.outcome(),
        state=state,
        filled_fraction=result.filled_fraction,
        unfilled_fraction=result.unfilled_fraction,
        references=job.names_of(result.references),
    )


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
    """The outcome of `work` for each job on a worker, in the order of completion.

    `scheduler` is the address of a Dask scheduler, or a file that it wrote. `died` makes the
    outcome of a job whose workers die repeatedly. Exiting the context cancels jobs not yet begun.

    Raises
    ------
    InputError
        Dask is not installed, or there is no such scheduler.
    """
    with _client(scheduler) as client:
        import distributed

        futures = {client.submit(work, job, pure=False): job for job in jobs}

        def outcomes() -> Iterator[Outcome]:
            for future in distributed.as_completed(futures):  # type: ignore[no-untyped-call]
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
            code=ErrorCode.MISSING_LIBRARY,
        ) from error
    # If the scheduler is gone, its stack traces add nothing to the outcomes.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    named = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
    try:
        return Client(**named, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, AssertionError) as error:  # the last: not a scheduler's file
        raise InputError(
            f"no Dask scheduler at {scheduler} ({str(error) or type(error).__name__})",
            wanted="its address, as tcp://HOST:8786, or the file that it wrote",
            hint="start one with `dask scheduler`, and workers with `dask worker --nthreads 1`",
            code=ErrorCode.UNREACHABLE,
        ) from error
