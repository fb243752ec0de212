"""One family of errors: what was found, what was wanted, what to do next.

    CloudfreeError
    ├── InputError      a scene, mask or option that cannot be used as it is
    │   └── DamagedError    a file of the right kind that is not whole
    ├── ModelError      a model, card or checkpoint that cannot be used as it is
    └── OutputError     a result that cannot be written where it was asked for
        └── BrokenResultError   a result that did not pass its audit

The library raises these; only the command line prints them and exits. Each has a code for
programs, which stays when its text is improved.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, ClassVar


class ErrorCode(StrEnum):
    """What went wrong, for programs; docs/errors.md describes each."""

    BAD_INPUT = "bad_input"
    BAD_OPTION = "bad_option"
    BROKEN_RESULT = "broken_result"
    INPUT_CHANGED = "input_changed"
    INTERNAL = "internal"
    IO = "io"
    MISSING_BAND = "missing_band"
    MISSING_FILE = "missing_file"
    MISSING_LIBRARY = "missing_library"
    MISSING_RADAR = "missing_radar"
    MODEL = "model"
    NO_DATA = "no_data"
    NO_OVERLAP = "no_overlap"
    NO_SPACE = "no_space"
    NOT_ALLOWED = "not_allowed"
    NOT_WRITABLE = "not_writable"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_EXISTS = "output_exists"
    SWAPPED = "swapped"
    TIME_GAP = "time_gap"
    UNKNOWN_OFFSET = "unknown_offset"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    WORKER_LOST = "worker_lost"
    WRONG_GRID = "wrong_grid"
    WRONG_LEVEL = "wrong_level"

    @property
    def retry(self) -> bool:
        """Whether the same run may succeed later, with nothing changed."""
        return self in _PASSING


# What other programs, a disk or a network cause, and what passes without the user.
_PASSING = {
    ErrorCode.INPUT_CHANGED,
    ErrorCode.IO,
    ErrorCode.OUT_OF_MEMORY,
    ErrorCode.UNREACHABLE,
    ErrorCode.WORKER_LOST,
}


class CloudfreeError(Exception):
    """A refusal that a user can act on.

    The text reads `found; wanted ...; next step`, on one line whatever the names in it hold.
    Without `code` it is that of the class.
    """

    default_code: ClassVar[ErrorCode] = ErrorCode.BAD_INPUT

    def __init__(
        self, found: str, *, wanted: str, hint: str, code: ErrorCode | None = None
    ) -> None:
        self.found = found
        self.wanted = wanted
        self.hint = hint
        self.code = code or self.default_code
        super().__init__(one_line(f"{found}; wanted {wanted}; {hint}"))

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is pickled, on its way from one process to another."""
        keywords: dict[str, Any] = {"wanted": self.wanted, "hint": self.hint, "code": self.code}
        return functools.partial(type(self), self.found, **keywords), ()


class InputError(CloudfreeError):
    """A scene, mask or option cannot be used as it is."""


class DamagedError(InputError):
    """An input is what it should be, but not whole."""

    default_code = ErrorCode.UNREADABLE


class ModelError(CloudfreeError):
    """A model, its card or its weights cannot be used as they are."""

    default_code = ErrorCode.MODEL


class OutputError(CloudfreeError):
    """A result cannot be written where it was asked for."""

    default_code = ErrorCode.NOT_WRITABLE


class BrokenResultError(OutputError):
    """A result that did not pass its audit; it is not written."""

    default_code = ErrorCode.BROKEN_RESULT


def one_line(text: str) -> str:
    """A text with letters that cannot be printed as escapes, such as line breaks in a name."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


# Texts of libraries may quote all that they read.
_REASON_LETTERS = 300


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, or what it is called if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:_REASON_LETTERS] if lines else type(error).__name__


@contextmanager
def parser_errors(as_error: Callable[[Exception], CloudfreeError]) -> Iterator[None]:
    """Turn whatever a parser of another project raises in the block into one error of ours.

    Parsers of files that come from anywhere raise whatever they stumble over: errors of lookups, of
    types, of their own. Errors of ours from within the block and a lack of memory stay.
    """
    try:
        yield
    except (CloudfreeError, MemoryError):
        raise
    except Exception as error:
        raise as_error(error) from error


def code_of(error: BaseException) -> ErrorCode:
    """The code of an error of any family: of the system, of a library, of this one."""
    if isinstance(error, CloudfreeError):
        return error.code
    if lacks_memory(error):
        return ErrorCode.OUT_OF_MEMORY
    if isinstance(error, OSError):
        return _of_system(error)
    return ErrorCode.INTERNAL


# What the loader of libraries says that has no room for one. Source: glibc, elf/dl-load.c.
_NO_ROOM_FOR_LIBRARY = ("failed to map segment", "cannot allocate memory", "cannot map zero-fill")


def lacks_memory(error: BaseException) -> bool:
    """Whether an error came because memory was out, as libraries were loaded too."""
    if isinstance(error, ImportError):
        return any(text in str(error).lower() for text in _NO_ROOM_FOR_LIBRARY)
    out = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return out or isinstance(error, MemoryError)


def writing_code(error: Exception) -> ErrorCode:
    """The code of an error that a file could not be written for; libraries raise their own."""
    code = code_of(error)
    if code is ErrorCode.MISSING_FILE:  # its folder is gone
        return ErrorCode.NOT_WRITABLE
    return ErrorCode.IO if code is ErrorCode.INTERNAL else code


# Source: POSIX.1-2017, "Error Numbers".
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
}


def _of_system(error: OSError) -> ErrorCode:
    """Libraries wrap errors of the system without their numbers, but keep their text."""
    if error.errno in _NO_SPACE or "No space left on device" in str(error):
        return ErrorCode.NO_SPACE
    if error.errno == errno.ENOENT:
        return ErrorCode.MISSING_FILE
    return ErrorCode.NOT_WRITABLE if error.errno in _CLOSED else ErrorCode.IO
