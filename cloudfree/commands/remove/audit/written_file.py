"""Whether the finished file of a result holds what was written to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cloudfree.commands.remove.audit.kept_pixels import changed
from cloudfree.commands.remove.audit.samples import SampleWindow
from cloudfree.errors import BrokenResultError
from cloudfree.raster.cog import missing_blocks
from cloudfree.raster.dataset import Dataset

# Every n-th window is read back: a window takes a whole block or two.
EVERY = 12


def check_file(path: Path, windows: Sequence[SampleWindow], sparse: bool) -> None:
    """Check that each block of a file is there, unless it may be `sparse`, and read some back.

    Raises
    ------
    BrokenResultError
        A block is missing, or a pixel is not as it was written.
    """
    if not sparse and (number := missing_blocks(path)):
        raise _damaged(f"{number} blocks of the result were not written")
    with Dataset(path, str(path)) as file:
        for one in windows[::EVERY]:
            read = file.read(list(range(len(one.pixels))), one.window)
            if read.dtype != one.pixels.dtype or changed(one.pixels, read).any():
                raise _damaged(f"pixels from row {one.window.row}, column {one.window.col} on are "
                               "not as they were written")  # fmt: skip


def _damaged(found: str) -> BrokenResultError:
    return BrokenResultError(
        found,
        wanted="a file that holds what was written",
        hint="check the disk and its free space, or the options of --co",
    )
