"""The command line as a user has it: what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cloudfree.cli.group import group


def command(line: str, *paths: Path) -> Result:
    """Run a command line; each `{}` in it stands for a path."""
    words = [*line.split()]
    given = iter(paths)
    return CliRunner().invoke(group, [str(next(given)) if word == "{}" else word for word in words])


def succeed(line: str, *paths: Path) -> Result:
    """Run a command line that ends well."""
    done = command(line, *paths)
    assert done.exit_code == 0, done.output
    return done


def printed_object(done: Result) -> dict[str, Any]:
    """The one JSON object on stdout."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found
