"""Output files that belong together: written as drafts, then published at once or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from cloudfree.core.drafts import new_draft_folder, remove_folder
from cloudfree.core.journal import Journal, check_journal, journal_of, tidy
from cloudfree.core.output_files import cannot_be_written


class OutputSet:
    """Files that one run makes; the block writes their drafts, and its end gives them their names.

    Files of one folder are published together, by a journal where there are several, and the
    folder of `main`, the file after which the others are named, comes last. With `overwrite` files
    that exist are replaced. `outdated` are files of an earlier result that go then. `check` is
    called before anything is published, and may raise. After an error in the block nothing is
    changed.

    Raises
    ------
    OutputError
        Leaving the block: the system refuses, or a file was made meanwhile and `overwrite` is not
        set.
    """

    def __init__(
        self,
        main: Path,
        overwrite: bool = True,
        outdated: Iterable[Path] = (),
        check: Callable[[], None] | None = None,
    ) -> None:
        self.main = main
        self._overwrite, self._outdated, self._check = overwrite, set(outdated), check
        self._files: dict[Path, list[str]] = {}
        self._drafts: dict[Path, Path] = {}

    def draft(self, path: Path) -> Path:
        """Where the block writes the file that gets the name `path`.

        Raises
        ------
        OSError
            The system cannot make a folder for it.
        OutputError
            A journal that a killed run left there is damaged.
        """
        folder = path.parent
        if folder not in self._drafts:
            tidy(folder)
            check_journal(self.main if folder == self.main.parent else path)
            self._drafts[folder] = new_draft_folder(path)
        names = self._files.setdefault(folder, [])
        if path.name not in names:
            names.append(path.name)
        return self._drafts[folder] / path.name

    def write(self, path: Path, content: bytes | str) -> None:
        """Write the draft of a small file: bytes, or text as UTF-8.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        encoded = content.encode() if isinstance(content, str) else content
        try:
            self.draft(path).write_bytes(encoded)
        except OSError as error:
            raise cannot_be_written(path, error) from error

    def replaces(self, *outdated: Path) -> None:
        """Add files of an earlier result, which go when the new one is published."""
        self._outdated.update(outdated)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        try:
            if failure is None:
                self._publish()
        finally:
            for folder, drafts in self._drafts.items():
                # A journal that could not be carried out needs its drafts: the next run has both.
                if not journal_of(folder / self._last(folder)).exists():
                    remove_folder(drafts)

    def _publish(self) -> None:
        if self._check:
            self._check()
        try:
            journals = {folder: self._journal(folder) for folder in self._in_order()}
            for folder, journal in journals.items():
                _complete_on_disk(folder / journal.drafts, journal.files)
            for journal_folder, journal in journals.items():
                journal.publish(journal_folder)
        except OSError as error:
            raise cannot_be_written(self.main, error) from error

    def _in_order(self) -> list[Path]:
        return sorted(self._drafts, key=lambda folder: folder == self.main.parent)

    def _last(self, folder: Path) -> str:
        """The file that is renamed last, after which the journal of a folder is named."""
        names = self._files[folder]
        return self.main.name if self.main.name in names else names[0]

    def _journal(self, folder: Path) -> Journal:
        last = self._last(folder)
        files = [*(name for name in self._files[folder] if name != last), last]
        outdated = sorted(
            path.name
            for path in self._outdated
            if path.parent == folder and path.name not in files and os.path.lexists(path)
        )
        return Journal(self._drafts[folder].name, tuple(files), tuple(outdated), self._overwrite)


def _complete_on_disk(drafts: Path, names: Iterable[str]) -> None:
    """Bring drafts to the disk, which may refuse only now, with the mode of any new file."""
    mode = _mode_of_new_files(drafts)
    for name in names:
        with (drafts / name).open("rb+") as file:
            os.fsync(file.fileno())
        with suppress(PermissionError):  # a disk without modes
            (drafts / name).chmod(mode)


def _mode_of_new_files(folder: Path) -> int:
    """The mode by the umask, which only making a file tells without changing it."""
    probe = folder / ".mode"
    probe.touch()
    mode = probe.stat().st_mode & 0o777
    probe.unlink()
    return mode


@contextmanager
def draft_of(path: Path, overwrite: bool = True) -> Iterator[Path]:
    """A hidden path for one file, which gets the name `path` at the end of the block.

    After an error in the block `path` stays unchanged.

    Raises
    ------
    OSError
        The system cannot make the draft.
    OutputError
        It cannot be renamed, or `path` was made meanwhile and `overwrite` is not set.
    """
    with OutputSet(path, overwrite) as outputs:
        yield outputs.draft(path)


def write_whole(path: Path, content: bytes | str, overwrite: bool = True) -> None:
    """Write bytes, or text as UTF-8.

    Raises
    ------
    OutputError
        It cannot be written, or was made meanwhile; a file that exists stays unchanged.
    """
    with OutputSet(path, overwrite) as outputs:
        outputs.write(path, content)
