"""Output files: checked before any work is done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudfree.core.addresses import address_of, is_elsewhere
from cloudfree.core.drafts import new_draft_folder, remove_folder
from cloudfree.core.journal import tidy
from cloudfree.errors import ErrorCode, OutputError, writing_code


def side_files(raster: Path) -> tuple[Path, ...]:
    """What GDAL and QGIS keep beside a raster: metadata, mask, overviews, and its style.

    A style has the name of the raster without its ending, so it is certainly one of this raster
    only if that exists.
    """
    beside = [raster.parent / f"{raster.name}{end}" for end in (".aux.xml", ".msk", ".ovr")]
    return (*beside, style_of(raster)) if raster.exists() else tuple(beside)


def style_of(raster: Path) -> Path:
    """The file in which QGIS looks for the style of a raster."""
    return raster.parent / f"{raster.stem}.qml"


def item_of(raster: Path) -> Path:
    """The file of the STAC item of a raster."""
    return raster.with_suffix(".json")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they do not exist.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_be_written(folder, error) from error


@contextmanager
def folders_of(outputs: Iterable[Path]) -> Iterator[None]:
    """Make the folders that outputs go to, with those above them, for a block that writes them.

    If the block fails, those that were made here are removed again as far as they are empty.

    Raises
    ------
    OutputError
        A folder cannot be made.
    """
    parents = dict.fromkeys(path.parent for path in outputs)
    # A result beside a scene that GDAL reads from elsewhere has no folder that could be made.
    folders = [folder for folder in parents if not is_elsewhere(folder)]
    above = {one for folder in folders for one in (folder, *folder.parents)}
    # Path.exists would raise where a folder is closed.
    missing = {one for one in above if not os.path.exists(one)}  # noqa: PTH110
    try:
        for folder in folders:
            make_folder(folder)
        yield
    except BaseException:
        for made in sorted(missing, key=lambda one: len(one.parts), reverse=True):
            with suppress(OSError):  # it was not made, or holds something
                made.rmdir()
        raise


def cannot_be_written(path: Path, error: Exception, hint: str = "") -> OutputError:
    """The error for one of the system or of a library; `hint` is what else may help."""
    message = " ".join(str(error).split())
    code = writing_code(error)
    if code is ErrorCode.IO and _is_full(path):
        code = ErrorCode.NO_SPACE
    return OutputError(
        f"{address_of(path)} cannot be written ({message})",
        wanted="a folder that may be written to and room on its disk",
        hint=f"choose another place, free some space{hint}",
        code=code,
    )


# A disk with less room is full: libraries fail on it without a word of the reason.
_LEAST_ROOM_BYTES = 1 << 20


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM_BYTES
    except OSError:  # there is no such folder
        return False


def require_absent(path: Path, overwrite: bool) -> None:
    """Check that an output does not exist yet and can be written.

    What killed processes left in its folder is completed or removed first.

    Raises
    ------
    OutputError
        It exists, is no regular file, has no folder, or the folder is closed.
    """
    tidy(path.parent)
    if path.exists() and not path.is_file():
        raise OutputError(
            f"{path} is a {'folder' if path.is_dir() else 'device or pipe'}",
            wanted="the name of a file",
            hint="choose another name with -o",
        )
    if os.path.lexists(path) and not overwrite:
        raise OutputError(
            f"{path} exists already",
            wanted="a new name",
            hint="add --overwrite to replace it, or choose another name with -o",
            code=ErrorCode.OUTPUT_EXISTS,
        )
    if not path.parent.is_dir():
        raise OutputError(
            f"no folder {path.parent}",
            wanted="an existing folder for the output",
            hint="create the folder first",
        )
    require_writable(path)


def require_writable(path: Path) -> None:
    """Check that a file can be made; folders above it may not exist yet.

    Permissions are not enough to know, so a hidden folder is made and removed.

    Raises
    ------
    OutputError
        The error of the system.
    """
    existing = path
    while not existing.parent.is_dir() and existing != existing.parent:
        existing = existing.parent
    try:
        remove_folder(new_draft_folder(existing))
    except OSError as error:
        raise cannot_be_written(path, error) from error


def check_output_names(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Check that no output would replace an input or another output, nor remove an input.

    Raises
    ------
    OutputError
        Names the first that would.
    """
    read = {path.resolve() for path in inputs}
    taken = set(read)
    for path in outputs:
        if path.resolve() in taken:
            raise OutputError(
                f"{path} is an input or another output",
                wanted="a name of its own for each output",
                hint="choose another name",
            )
        for side in side_files(path):
            if side.resolve() in read:
                raise OutputError(
                    f"{side.name} is an input, and would be removed as a file of {path}",
                    wanted="outputs of another name than the inputs",
                    hint="choose another name with -o",
                )
        taken.add(path.resolve())
