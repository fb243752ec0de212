"""The mask that `remove` used, as a file beside the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudfree import __version__
from cloudfree.cloudmask.mask_file import MaskFile, mask_profile
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.grid import Window
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.provenance import VERSION, WARNINGS

# The tags of a mask that say how it was made begin so.
_SETTINGS = "MASK_"


class UsedMaskWriter:
    """Writes the mask of a scene, window by window, into a COG; nothing without one."""

    def __init__(self, file: CogWriter | None, mask: MaskFile | None) -> None:
        self._file, self._mask = file, mask

    def write(self, window: Window) -> None:
        """Write the classes of a window."""
        if self._file and self._mask:
            self._file.write(window, self._mask.classes(window)[np.newaxis])

    def finish(self) -> None:
        """Complete the file except for its name."""
        if self._file:
            self._file.finish()


@contextmanager
def used_mask_writer(
    path: Path | None, scene: RemovalScene, creation: Mapping[str, str]
) -> Iterator[UsedMaskWriter]:
    """A writer of the mask that is used, which writes nothing without a path.

    The file has the classes, tags and colours of one of `cloudfree mask`, whatever the mask is.
    """
    mask = scene.mask
    if path is None or mask is None:
        yield UsedMaskWriter(None, None)
        return
    with CogWriter(path, scene.optical.grid, _profile(mask, creation)) as file:
        yield UsedMaskWriter(file, mask)


def _profile(mask: MaskFile, creation: Mapping[str, str]) -> CogProfile:
    """How a mask is written; its settings, sun and warnings are kept."""
    profile = mask_profile()
    own = {
        name: text
        for name, text in mask.handle.tags().items()
        if name.startswith(_SETTINGS) or name == WARNINGS
    }
    tags = {**profile.tags, **own, VERSION: __version__}
    return replace(profile, tags=tags, creation_options=creation)
