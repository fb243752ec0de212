"""Refusing, before any work is done, outputs that could not be written or would replace a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cloudfree.core.atomic import cannot_be_written, draft_folder
from cloudfree.errors import OutputError


def require_absent(path: Path, overwrite: bool) -> None:
    """Refuse an output that exists, or whose folder does not or may not be written to.

    Raises
    ------
    OutputError
        Names the file and the way out.
    """
    if path.is_dir():
        raise OutputError(
            f"{path} is a folder",
            wanted="the name of a file",
            hint="choose another name with -o",
        )
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path} exists already",
            wanted="a new name",
            hint="add --overwrite to replace it, or choose another name with -o",
        )
    if not path.parent.is_dir():
        raise OutputError(
            f"no folder {path.parent}",
            wanted="an existing folder for the output",
            hint="create the folder first",
        )
    require_writable(path)


def require_writable(path: Path) -> None:
    """Refuse an output where no file can be made; folders above it may be missing yet.

    Permissions do not tell of all that may be in the way, so one is made and taken away.

    Raises
    ------
    OutputError
        The system says why.
    """
    place = path
    while not place.parent.is_dir() and place != place.parent:
        place = place.parent
    try:
        draft_folder(place).cleanup()
    except OSError as error:
        raise cannot_be_written(path, error) from error


def check_output_names(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that would replace an input or each other.

    Raises
    ------
    OutputError
        Names the first of them.
    """
    taken = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in taken:
            raise OutputError(
                f"{path} is an input or another output",
                wanted="a name of its own for each output",
                hint="choose another name",
            )
        taken.add(path.resolve())
