"""A process that runs command lines one after the other, and may die or hang on each of them.

It is forked from one that has loaded the libraries (`forkserver`), so that a new one costs little.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

LOADED = [
    "cloudfree.cli.group", "cloudfree.cli.mask", "cloudfree.cli.coregister", "cloudfree.cli.remove",
    "cloudfree.cli.batch", "cloudfree.cli.train", "cloudfree.cli.models", "cloudfree.cli.info",
    "cloudfree.commands.mask.run", "cloudfree.commands.coregister.run",
    "cloudfree.commands.remove.run", "cloudfree.commands.batch.run", "cloudfree.commands.train.run",
    "cloudfree.commands.models.show", "cloudfree.commands.models.check",
    "cloudfree.commands.models.convert", "cloudfree.commands.info.run", "cloudfree.cli.search",
    "cloudfree.cli.report", "cloudfree.cli.evaluate", "cloudfree.commands.search.run",
    "cloudfree.commands.report.run", "cloudfree.commands.evaluate.run",
    "cloudfree.commands.evaluate.series.run", "pystac", "torch",
    "onnxruntime",
]  # fmt: skip

# A small input takes a second at most, on a machine that others use too.
LIMIT_S = 60.0
# Beyond what the libraries take, a small input needs some tens of MB, and a model some more.
LIMIT_MB = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of a command line.

    `code` is its exit code, None if the process died or did not end; `trace` is the stack of an
    error that no one foresaw; `memory_mb` is what it took beyond what the process had.
    """

    code: int | None
    printed: str = ""
    errors: str = ""
    trace: str = ""
    memory_mb: float = 0.0


class Worker:
    """Runs command lines in a process; a new one is begun where it died."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(LOADED)
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, folder: Path, words: Sequence[str]) -> Outcome:
        """Run a command line in a folder."""
        self._pipe.send((folder, list(words)))
        try:
            if self._pipe.poll(LIMIT_S):
                found: Outcome = self._pipe.recv()
                return found
            trace = f"no end after {LIMIT_S:g} s"
        except EOFError:
            self._process.join()
            trace = f"the process died with code {self._process.exitcode}"
        self._end()
        self._begin()
        return Outcome(None, trace=trace)

    def _begin(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection) -> None:
    """The main function of the process."""
    import resource
    import warnings

    os.environ["CPL_LOG"] = os.devnull
    warnings.simplefilter("always")
    for hidden in (ResourceWarning, DeprecationWarning, PendingDeprecationWarning):
        warnings.simplefilter("ignore", hidden)  # as Python does
    from cloudfree.parallel.environment import set_library_defaults

    set_library_defaults()
    _keep_batches_here()
    room = int((_status("VmSize") + 4 * LIMIT_MB) * 2**20)
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    while True:
        try:
            folder, words = pipe.recv()
        except EOFError:
            return
        pipe.send(_outcome(folder, words))


def _keep_batches_here() -> None:
    """Let `batch` fill its scenes in this process: a process of their own takes seconds each."""
    from cloudfree.commands.batch import processes

    class Here:
        is_alive = True

        def __init__(self, work: Callable[[Any], Any]) -> None:
            self.run = work

        def __class_getitem__(cls, _: object) -> type:
            return cls

        def end(self) -> int:
            return 0

        terminate = end

    processes._Worker = Here  # type: ignore[assignment, misc]


def _outcome(folder: Path, words: list[str]) -> Outcome:
    os.chdir(folder)
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _status("VmRSS")
    with _kept(folder):
        code, trace = _called(words)
    errors, printed = (
        (folder / name).read_text(errors="replace") for name in ("stderr.log", "stdout.log")
    )
    return Outcome(code, printed, errors, trace, _status("VmHWM") - before)


def _called(words: list[str]) -> tuple[int | None, str]:
    """The exit code of a command line, and the stack of an error that no one foresaw."""
    import click

    from cloudfree.cli.group import group

    try:
        return group.main(words, "cloudfree", standalone_mode=False) or 0, ""
    except click.ClickException as error:
        error.show()
        return error.exit_code, ""
    except SystemExit as left:
        return int(left.code or 0), ""
    except BaseException:
        return None, traceback.format_exc()


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """What is printed in the block, by libraries too, goes to files of a folder."""
    sys.stdout.flush()
    sys.stderr.flush()
    old = [os.dup(stream) for stream in (1, 2)]
    for stream, name in ((1, "stdout.log"), (2, "stderr.log")):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream)
        os.close(file)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, kept in zip((1, 2), old, strict=True):
            os.dup2(kept, stream)
            os.close(kept)


def _status(key: str) -> float:
    """A size of this process in MB."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"{key}:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0
