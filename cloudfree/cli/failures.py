"""Errors at the command line: a line on stderr, an exit code, and with --json an object."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from cloudfree.errors import CloudfreeError, ErrorCode, code_of, lacks_memory, reason_of

logger = logging.getLogger("cloudfree")

# Errors that have an exit code of their own; it is 1 for all others.
# Advice when memory is out: only `remove` goes on with smaller batches.
_ROOM, _SPARE = "room for what was asked", "end other programs, or ask for smaller tiles or patches"


class MissingInputError(click.BadParameter):
    """A path on the command line that does not exist."""


class LoggedError(click.ClickException):
    """An error whose line goes to the log, in the format of the log."""

    def show(self, file: Any = None) -> None:
        """Log the line."""
        del file
        logger.error(self.message)


class LoggedBrokenResultError(LoggedError):
    """The same of a result that did not pass its audit, which has an exit code of its own."""

    exit_code = 4


@contextmanager
def reported(as_json: bool) -> Iterator[None]:
    """Errors of a command as a line and exit code 1, and as an object on stdout if asked for.

    An error that no one foresaw keeps its stack trace.
    """
    try:
        yield
    except CloudfreeError as error:
        _print(as_json, error.code, error.found, error.wanted, error.hint)
        broken = error.code is ErrorCode.BROKEN_RESULT
        raise (LoggedBrokenResultError if broken else LoggedError)(str(error)) from error
    except Exception as error:
        if lacks_memory(error):
            found = f"not enough memory ({reason_of(error)})"
            _print(as_json, ErrorCode.OUT_OF_MEMORY, found, _ROOM, _SPARE)
            raise LoggedError(f"{found}; wanted {_ROOM}; {_SPARE}") from error
        found = f"{type(error).__name__} ({error})"
        _print(as_json, code_of(error), found, "no error", "see the stack trace on stderr")
        raise


def print_usage_error(error: click.UsageError) -> None:
    """The object of a wrong command line, on stdout."""
    missing = isinstance(error, MissingInputError)
    code = ErrorCode.MISSING_FILE if missing else ErrorCode.BAD_OPTION
    command = error.ctx.command_path if error.ctx else "cloudfree"
    wanted = "a path that exists" if missing else "the options of the command"
    _print(True, code, error.format_message(), wanted, f"see `{command} --help`")


def _print(as_json: bool, code: ErrorCode, found: str, wanted: str, hint: str) -> None:
    if not as_json:
        return
    failure = {
        "code": code,
        "message": found,
        "wanted": wanted,
        "hint": hint,
        "retry": code.retry,
    }
    click.echo(json.dumps({"error": failure}, indent=2))
