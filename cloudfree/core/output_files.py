"""Output files: refused before any work is done, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from cloudfree.errors import OutputError


def write_whole(path: Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, into a hidden folder beside `path` and give it its name.

    Raises
    ------
    OutputError
        It cannot be written; what was there before stays.
    """
    encoded = content.encode() if isinstance(content, str) else content
    try:
        with draft_folder(path) as folder:
            draft = Path(folder) / path.name
            draft.write_bytes(encoded)
            draft.replace(path)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are not there.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_be_written(folder, error) from error


def draft_folder(path: Path) -> TemporaryDirectory[str]:
    """A hidden folder beside `path`, on the same disk, that goes away with the block."""
    return TemporaryDirectory(prefix=f".{path.stem}.part.", dir=path.parent)


def cannot_be_written(path: Path, error: Exception, hint: str = "") -> OutputError:
    """The refusal for an error of the system or of a library; `hint` is what else may help."""
    told = " ".join(str(error).split())
    return OutputError(
        f"{path} cannot be written ({told})",
        wanted="a folder that may be written to and room on its disk",
        hint=f"choose another place, free some space{hint}",
    )


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
