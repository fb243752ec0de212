"""Writing files that are whole where they have their name, and one line where they cannot be."""

from __future__ import annotations

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
