"""A scene of a batch whose process lists the masks that it makes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from cloudfree.commands.batch import workers
from cloudfree.commands.batch.options import SceneOutcome
from cloudfree.commands.batch.workers import SceneJob
from cloudfree.commands.remove import made_masks
from cloudfree.sentinel2.optical_scene import OpticalScene

# So long that a process that starts a little later needs a mask that is being made.
DELAY_S = 1.0

write_mask = made_masks.write_mask


def fill_scene(job: SceneJob) -> SceneOutcome:
    """The scene, with a line in `masks.txt` beside the results for each mask that is made."""

    def listed(scene: OpticalScene, *more: Any) -> Any:
        with (job.options.result.parent / "masks.txt").open("a") as lines:
            lines.write(f"{Path(scene.path).name}\n")
        time.sleep(DELAY_S)
        return write_mask(scene, *more)

    made_masks.write_mask = listed
    return workers.fill_scene(job)
