"""Files that belong together get their names in one step, which a killed process cannot halve.

1. All are written whole into a draft folder beside their places.
2. A journal, `.NAME.journal` beside the main file, lists them. Now they are published.
3. What belongs to an earlier result is removed, and the drafts are renamed, the main file last.
4. The journal is removed.

A process that dies before 2 leaves the earlier result. One that dies later leaves a journal, and
the next run in the folder, or the next reader of the main file, does the rest of 3 and 4.

A journal may be damaged, or come from anywhere with a folder. So it has the size and the time of
each file that it names, and what is another file by now is neither renamed nor removed.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cloudfree.core.drafts import is_left, remove_folder, remove_left_drafts
from cloudfree.errors import ErrorCode, OutputError, reason_of

logger = logging.getLogger("cloudfree")

_JOURNAL = "journal"
# Another process renames its files within moments.
PATIENCE_S, _PAUSE_S = 10.0, 0.02


# The size of a file in bytes and the time of its last change in nanoseconds, which stay when it is
# renamed.
Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Journal:
    """What is renamed and removed in one folder: names in it, of which the last is the main file.

    Without `replaces` no file that exists is replaced. A journal that another process left has the
    `stamps` of the drafts and of what is outdated, by name.
    """

    drafts: str
    files: tuple[str, ...]
    outdated: tuple[str, ...]
    replaces: bool
    stamps: Mapping[str, Stamp] | None = None

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
        self.begin(folder)
        self.carry_out(folder)

    def carry_out(self, folder: Path) -> None:
        """Do what is left of the journal, and remove it."""
        try:
            self._require_new(folder)
            for name in self.outdated:
                if self._names(folder / name):
                    (folder / name).unlink(missing_ok=True)
            self._rename(folder)
        except OutputError:
            self._take_back(folder)
            self.path(folder).unlink(missing_ok=True)
            raise
        self.path(folder).unlink(missing_ok=True)

    def begin(self, folder: Path) -> None:
        """Write the journal, which only one process at a time can have for a main file.

        Raises
        ------
        OutputError
            Another process has it for long, or there is one that is damaged.
        """
        paths = [folder / self.drafts / name for name in self.files]
        paths += [folder / name for name in self.outdated]
        stamps = {path.name: found for path in paths if (found := _stamp(path))}
        draft = folder / self.drafts / _JOURNAL
        with draft.open("w", encoding="utf-8") as file:
            json.dump({**asdict(self), "stamps": stamps}, file)
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
            check_journal(folder / self.files[-1])
            complete(folder / self.files[-1])
            return False
        return True

    def _names(self, path: Path) -> bool:
        """Whether a file is the one that the journal names, and not another of its name."""
        if self.stamps is None:  # it is carried out by the process that wrote it
            return True
        stamp = _stamp(path)
        return stamp is not None and self.stamps.get(path.name) == stamp

    def fits(self, folder: Path) -> bool:
        """Whether all drafts that have not got their names yet are those of the journal."""
        drafts = folder / self.drafts
        waiting = [path for name in self.files if _stamp(path := drafts / name)]
        return not drafts.is_symlink() and all(map(self._names, waiting))

    def _require_new(self, folder: Path) -> None:
        for name in () if self.replaces else self.files:
            path, draft = folder / name, folder / self.drafts / name
            if os.path.lexists(path) and draft.exists() and not _is_one(draft, path):
                raise made_meanwhile(path)

    def _rename(self, folder: Path) -> None:
        for name in self.files:
            draft, path = folder / self.drafts / name, folder / name
            if not self._names(draft):
                continue
            with suppress(FileNotFoundError):  # it has its name already
                try:
                    draft.replace(path) if self.replaces else rename_new(draft, path)
                except FileExistsError as error:
                    raise made_meanwhile(path) from error

    def _take_back(self, folder: Path) -> None:
        """Take the names from those files that have them, as another file is in the way."""
        for name in self.files:
            draft, path = folder / self.drafts / name, folder / name
            is_own = not draft.exists() or _is_one(draft, path) if path.exists() else False
            if is_own and self._names(path):
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
    try:
        journal = _read(journal_of(main))
    except ValueError:  # the next run that writes the file names it
        return
    if journal is None or not is_left(journal.drafts):
        return
    try:
        journal.carry_out(main.parent)
    except OutputError as error:  # of a run that is gone: its files are given up
        logger.warning("%s: of the run that was killed nothing is kept", error.found)
    remove_folder(main.parent / journal.drafts)


def check_journal(main: Path) -> None:
    """Check that a journal that lies beside a main file, if there is one, can be carried out.

    Raises
    ------
    OutputError
        It is damaged, or of other files.
    """
    path = journal_of(main)
    try:
        _read(path)
    except ValueError as error:
        raise OutputError(
            f"{path} is no journal ({reason_of(error)})",
            wanted="the list of the files that a killed run has half renamed",
            hint=f"see which of the files beside {main.name} belong together, and remove it",
            code=ErrorCode.OUTPUT_EXISTS,
        ) from error


# A journal of a thousand files has a tenth of that.
_MAX_BYTES = 1 << 20


def _read(path: Path) -> Journal | None:
    """The journal in a file; None if there is none.

    Raises
    ------
    ValueError
        It is damaged, names what lies elsewhere, or is of other files than there are.
    """
    from cloudfree.core.typed_entries import structured

    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
            raise ValueError("no file, or a large one")
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except RecursionError as error:
        raise ValueError("lists within lists") from error
    journal = structured(entries, Journal, "journal")
    names = (journal.drafts, *journal.files, *journal.outdated)
    if wrong := [name for name in names if not _is_plain(name)]:
        raise ValueError(f"{wrong[0]!r} is no name in this folder")
    if not journal.files or journal.path(path.parent) != path:
        raise ValueError("of another file")
    if journal.stamps is None or not journal.fits(path.parent):
        raise ValueError("of other files than there are")
    return journal


def _is_plain(name: str) -> bool:
    """Whether a name is that of a file or folder in the same folder."""
    return Path(name).name == name not in ("", "..") and "\0" not in name


def _stamp(path: Path) -> Stamp | None:
    """The stamp of a file; None if there is none, as of a name that no system takes."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    is_file = stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)
    return (found.st_size, found.st_mtime_ns) if is_file else None


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
