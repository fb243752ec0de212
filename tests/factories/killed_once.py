"""A scene of a batch whose process is killed at the first attempt, as where memory is out."""

from __future__ import annotations

import os
import signal

from cloudfree.commands.batch import workers
from cloudfree.commands.batch.options import SceneOutcome
from cloudfree.commands.batch.workers import SceneJob


def fill_scene(job: SceneJob) -> SceneOutcome:
    """The scene, if it was tried before."""
    tried = job.options.result.with_suffix(".tried")
    if not tried.exists():
        tried.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return workers.fill_scene(job)
