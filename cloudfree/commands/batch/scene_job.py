"""One scene of a batch, wherever it is restored: in a process of its own or on a cluster."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

from cloudfree.commands.batch.options import SceneOutcome, State
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.log_capture import captured_warnings
from cloudfree.errors import CloudfreeError


@dataclass(frozen=True)
class SceneJob:
    """A scene to restore; `threads` is how many its process may use, None for all."""

    name: str
    options: RemoveOptions
    threads: int | None = None

    def outcome(self) -> SceneOutcome:
        """That of the scene where it is there already."""
        options = self.options
        return SceneOutcome(self.name, "skipped", options.s2, options.s1, options.result)

    def failed(self, message: str) -> SceneOutcome:
        """That of the scene where it failed."""
        return replace(self.outcome(), state="failed", message=message)


def restore(job: SceneJob) -> SceneOutcome:
    """`cloudfree remove` of one scene; whatever goes wrong is its outcome."""
    if job.threads:  # before torch is loaded
        os.environ["OMP_NUM_THREADS"] = str(job.threads)
    start = time.monotonic()
    with captured_warnings() as warnings:
        outcome = _restored(job)
    return replace(outcome, seconds=round(time.monotonic() - start, 1), warnings=tuple(warnings))


def _restored(job: SceneJob) -> SceneOutcome:
    from cloudfree.commands.remove import run as remove
    from cloudfree.core.progress import silent

    try:
        result = remove.run(job.options, silent)
    except CloudfreeError as error:
        return job.failed(str(error))
    except MemoryError as error:
        return job.failed(
            f"not enough memory ({error}); wanted room for a scene; ask for less --jobs"
        )
    except Exception as error:  # a fault of one scene is not to stop the others
        return job.failed(
            f"{type(error).__name__} ({error}); wanted none; run `cloudfree remove` for it alone"
        )
    state: State = "restored" if result.written else "checked"
    return replace(job.outcome(), state=state, restored=result.restored)
