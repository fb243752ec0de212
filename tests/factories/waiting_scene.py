"""A scene of a batch that waits in the middle of being written, as a large one."""

from __future__ import annotations

import os
import time

from cloudfree.commands.batch import workers as batch_scene
from cloudfree.commands.batch.options import SceneOutcome
from cloudfree.commands.batch.workers import SceneJob


def fill_scene(job: SceneJob) -> SceneOutcome:
    """The scene, but its first rows take ten minutes."""
    from cloudfree.commands.remove import written_scene

    def wait(*_: object) -> None:
        job.options.result.with_suffix(".pid").write_text(str(os.getpid()))
        time.sleep(600)

    written_scene.finish = wait  # type: ignore[assignment]
    return batch_scene.fill_scene(job)
