"""Folders for files that are not whole yet: each names its process, and goes once that is gone."""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# .scene.part.MACHINE.PID.RUN.RANDOM: `RUN` tells two processes apart that had one number.
_DRAFT = re.compile(r"\..*\.part\.(?P<machine>[\w-]+)\.(?P<pid>\d+)\.(?P<run>\w+)\.\w+", re.DOTALL)
_RUN = secrets.token_hex(4)
# A name may have 255 bytes; letters of any language take up to four.
_STEM_LETTERS = 24


def new_draft_folder(path: Path) -> Path:
    """Make a hidden folder beside `path`, on the same disk, that names this process.

    Raises
    ------
    OSError
        The system cannot make it.
    """
    owner = f"{_machine()}.{os.getpid()}.{_RUN}"
    prefix = f".{path.stem[:_STEM_LETTERS]}.part.{owner}."
    return Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))


@contextmanager
def temporary_folder(beside: Path | None = None) -> Iterator[Path]:
    """A hidden folder until the block ends: beside a path, or where the system has such folders.

    Those that killed processes left there are removed first.
    """
    path = beside or Path(tempfile.gettempdir()) / "cloudfree"
    remove_left_drafts(path.parent)
    folder = new_draft_folder(path)
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as the system lets us."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_left_drafts(folder: Path) -> None:
    """Remove the draft folders in `folder` whose process on this machine is gone."""
    for path in folder.glob(".*.part.*"):
        if is_left(path.name):
            remove_folder(path)


def is_left(name: str) -> bool:
    """Whether a draft folder of this name belongs to a process of this machine that is gone.

    What belongs to another machine, or to a container of its own, may still be written.
    """
    draft = _DRAFT.fullmatch(name)
    if draft is None or draft["machine"] != _machine():
        return False
    pid = int(draft["pid"])
    return draft["run"] != _RUN if pid == os.getpid() else not _is_running(pid)


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":  # where signal 0 is no question but an interruption
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to another user
        return True
    return True


@cache
def _machine() -> str:
    """The name of this machine, with that of the numbers of its processes: containers have own."""
    name = re.sub(r"[^\w]+", "-", platform.node(), flags=re.ASCII) or "machine"
    try:
        space = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116
    except OSError:  # another system than Linux
        return name
    return f"{name}-{space}"
