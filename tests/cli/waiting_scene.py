"""A scene of a batch that waits in the middle of being written, as a large one."""

from __future__ import annotations

import os
import time

from cloudfree.pipelines import batch_scene
from cloudfree.pipelines.batch_options import SceneOutcome
from cloudfree.pipelines.batch_scene import SceneJob


def restore(job: SceneJob) -> SceneOutcome:
    """The scene, but that its first rows take ten minutes to finish."""
    from cloudfree.pipelines.restoration import Restoration

    def wait(*_: object) -> None:
        job.options.result.with_suffix(".pid").write_text(str(os.getpid()))
        time.sleep(600)

    Restoration.finished = wait  # type: ignore[method-assign]
    return batch_scene.restore(job)
