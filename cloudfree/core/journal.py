"""Files that belong together get their names in one step, which a killed process cannot halve.

1. All are written whole into a draft folder beside their places.
2. A journal, `.NAME.journal` beside the main file, lists them. Now they are published.
3. What belongs to an earlier result is removed, and the drafts are renamed, the main file last.
4. The journal is removed.

A process that dies before 2 leaves the earlier result. One that dies later leaves a journal, and
the next run in the folder, or the next reader of the main file, does the rest of 3 and 4.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cloudfree.core.drafts import is_left, remove_folder, remove_left_drafts
from cloudfree.errors import ErrorCode, OutputError

logger = logging.getLogger("cloudfree")

_JOURNAL = "journal"
# Another process renames its files within moments.
PATIENCE_S, _PAUSE_S = 10.0, 0.02


@dataclass(frozen=True)
class Journal:
    """What is renamed and removed in one folder: names in it, of which the last is the main file.

    Without `replaces` no file that exists is replaced.
    """

    drafts: str
    files: Sequence[str]
    outdated: Sequence[str]
    replaces: bool

    def path(self, folder: Path) -> Path:
        """Where it lies while the files are renamed."""
        return journal_of(folder / self.files[-1])

    def publish(self, folder: Path) -> None:
        """Rename the drafts to their names, all or none.

        Raises
        ------
        OutputError
            One of the files exists and may not be replaced.
        OSError
            The system refuses; after the journal is there, the next run does the rest.
        """
        self._require_new(folder)
        if len(self.files) == 1 and not self.outdated:  # one step in any case
            self._rename(folder)
            return
        self._write(folder)
        self.carry_out(folder)

    def carry_out(self, folder: Path) -> None:
        """Do what is left of the journal, and remove it."""
        try:
            self._require_new(folder)
            for name in self.outdated:
                (folder / name).unlink(missing_ok=True)
            self._rename(folder)
        except OutputError:
            self._take_back(folder)
            self.path(folder).unlink(missing_ok=True)
            raise
        self.path(folder).unlink(missing_ok=True)

    def _write(self, folder: Path) -> None:
        """Write the journal, which only one process at a time can have for a main file.

        Raises
        ------
        OutputError
            Another process has it for long.
        """
        draft = folder / self.drafts / _JOURNAL
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        end = time.monotonic() + PATIENCE_S
        while not self._has_name(draft, folder):
            if time.monotonic() > end:
                raise OutputError(
                    f"{folder / self.files[-1]} is being written by another process",
                    wanted="one process for one output",
                    hint=f"wait for it; if none is at work, remove {self.path(folder).name}",
                    code=ErrorCode.OUTPUT_EXISTS,
                )
            time.sleep(_PAUSE_S)

    def _has_name(self, draft: Path, folder: Path) -> bool:
        """Whether the journal got its name; one that a killed process left is carried out."""
        try:
            rename_new(draft, self.path(folder))
        except FileExistsError:
            complete(folder / self.files[-1])
            return False
        return True

    def _require_new(self, folder: Path) -> None:
        for name in () if self.replaces else self.files:
            path, draft = folder / name, folder / self.drafts / name
            if os.path.lexists(path) and draft.exists() and not _is_one(draft, path):
                raise made_meanwhile(path)

    def _rename(self, folder: Path) -> None:
        for name in self.files:
            draft, path = folder / self.drafts / name, folder / name
            with suppress(FileNotFoundError):  # it has its name already
                try:
                    draft.replace(path) if self.replaces else rename_new(draft, path)
                except FileExistsError as error:
                    raise made_meanwhile(path) from error

    def _take_back(self, folder: Path) -> None:
        """Take the names from those files that have them, as another file is in the way."""
        for name in self.files:
            draft, path = folder / self.drafts / name, folder / name
            if path.exists() and (not draft.exists() or _is_one(draft, path)):
                path.unlink()


def journal_of(main: Path) -> Path:
    """Where the journal of a set of files lies, by its main file."""
    return main.with_name(f".{main.name}.journal")


def complete(main: Path) -> None:
    """Publish the rest of a set of files whose process died while it renamed them.

    Raises
    ------
    OSError
        The system refuses.
    """
    journal = _read(journal_of(main))
    if journal is None or not is_left(journal.drafts):
        return
    try:
        journal.carry_out(main.parent)
    except OutputError as error:  # of a run that is gone: its files are given up
        logger.warning("%s: of the run that was killed nothing is kept", error.found)
    remove_folder(main.parent / journal.drafts)


def _read(path: Path) -> Journal | None:
    """The journal in a file; None if there is none, or it names files of other folders."""
    try:
        journal = Journal(**json.loads(path.read_text(encoding="utf-8")))
        names = (journal.drafts, *journal.files, *journal.outdated)
        plain = journal.path(path.parent) == path and all(Path(n).name == n for n in names)
    except (FileNotFoundError, ValueError, TypeError, LookupError):
        return None
    return journal if plain else None


def settle(main: Path) -> None:
    """Complete a file that is about to be read, where a killed process left its set half renamed.

    Where the folder cannot be written the file is read as it is: whole, old or new.
    """
    with suppress(OSError):
        complete(main)


def tidy(folder: Path) -> None:
    """Complete what killed processes of this machine left half renamed, and remove their drafts.

    A folder that cannot be written stays as it is.
    """
    with suppress(OSError):
        for path in folder.glob(".*.journal"):
            complete(path.with_name(path.name[1:].removesuffix(".journal")))
        remove_left_drafts(folder)


def rename_new(draft: Path, path: Path) -> None:
    """Rename a file to a name that is new.

    Raises
    ------
    FileExistsError
        There is something of that name, which stays.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        if not _is_one(draft, path):  # else a killed process was between both steps
            raise
    except FileNotFoundError:
        raise
    except OSError as error:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(*error.args) from error
        draft.rename(path)
        return
    draft.unlink()


def _is_one(draft: Path, path: Path) -> bool:
    """Whether both are names of one file."""
    return os.path.samestat(draft.lstat(), path.lstat())


def made_meanwhile(path: Path) -> OutputError:
    """The error for an output that another program has made in the meantime."""
    return OutputError(
        f"{path} was made by another program meanwhile",
        wanted="a new name",
        hint="add --overwrite to replace it, or choose another name with -o",
        code=ErrorCode.OUTPUT_EXISTS,
    )
