"""The masks that `remove` makes: of a scene and of its references, each scene once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from cloudfree.cloudmask.dilated_mask import UNDILATED, write_dilated
from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.mask_plan import plan_mask, write_mask
from cloudfree.cloudmask.sun_geometry import sun_from_tags
from cloudfree.core.choices import MaskSettings
from cloudfree.core.drafts import temporary_folder
from cloudfree.core.terminal import Progress
from cloudfree.sentinel2.optical_scene import OpticalScene

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class MadeMasks:
    """Masks in a folder, which are made as they are needed.

    Processes may share the folder: a mask gets its name when it is whole, and a second process
    that needs it waits for the first. A mask of which the one without dilation is there is made
    from that; if `undilated_too`, all are, since the scene of one is the reference of another.
    """

    folder: Path
    undilated_too: bool = False

    def open(self, scene: OpticalScene, settings: MaskSettings, progress: Progress) -> MaskFile:
        """The mask of a scene with these settings, made unless it is there.

        Raises
        ------
        InputError
            Missing bands, no valid pixel, or a dilation that is no distance.
        """
        path = self.folder / _name(scene, settings)
        if not path.exists():
            with _alone(path):
                if not path.exists():
                    self._make(path, scene, settings, progress)
        mask = MaskFile(path, scene.grid)
        mask.sun = sun_from_tags(mask.handle.tags())
        return mask

    def _make(
        self, path: Path, scene: OpticalScene, settings: MaskSettings, progress: Progress
    ) -> None:
        plain = replace(settings, dilate=UNDILATED)
        undilated = self.folder / _name(scene, plain)
        if self.undilated_too and settings != plain:
            self.open(scene, plain, progress).close()
        if not undilated.exists():
            write_mask(scene, path, plan_mask(scene, settings, progress), progress, {})
            return
        with MaskFile(undilated, scene.grid) as mask:
            write_dilated(mask, path, settings.dilate, {})


@contextmanager
def made_masks(folder: Path | None = None) -> Iterator[MadeMasks]:
    """Masks that are kept in a folder that exists; without one until the block ends."""
    if folder is not None:
        yield MadeMasks(folder, undilated_too=True)
        return
    with temporary_folder() as temporary:
        yield MadeMasks(temporary)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time is in the block for a path; its lock ends with the process."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire()
    except (OSError, NotImplementedError) as error:  # some network disks know no locks
        logger.debug("no lock on %s (%s): a mask may be made twice", path.parent, error)
    try:
        yield
    finally:
        lock.release()


def _name(scene: OpticalScene, settings: MaskSettings) -> str:
    """A name for the file of each scene, way of reading it, settings, and sun."""
    made_from = (
        scene.path.resolve(), scene.offset, settings, scene.part, scene.sun_azimuth_deg
    )  # fmt: skip
    return f"mask_{hashlib.sha256(repr(made_from).encode()).hexdigest()[:20]}.tif"
