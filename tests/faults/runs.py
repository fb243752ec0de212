"""Runs of the command line that are killed, starved or disturbed, and what they leave.

A process that has loaded the libraries is forked for each run (`forkserver`): a run takes as long
as its work, and a moment drawn from that time lies within the work.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.factories.patience import PATIENCE_S
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.sample_folders import write_triplet

# What the commands load late, so that a fork has it.
LOADED = [
    "cloudfree.cli.group",
    "cloudfree.cli.mask",
    "cloudfree.cli.coregister",
    "cloudfree.cli.remove",
    "cloudfree.cli.batch",
    "cloudfree.cli.train",
    "cloudfree.commands.mask.run",
    "cloudfree.commands.coregister.run",
    "cloudfree.commands.remove.run",
    "cloudfree.commands.batch.run",
    "cloudfree.commands.train.run",
    "torch",
]

State = dict[str, str]

# Where runs have their temporary files, below their folder.
TEMPORARY = "tmp"


@dataclass(frozen=True)
class Command:
    """A command line in a folder: its words, the files it reads and the main file it makes.

    `earlier` are more words, of the run that made what is replaced; `again` those of a run that
    goes on after a break, which it can if the file `begun` is there; `volatile` are names of files
    whose bytes are not the same each time, and of folders whose files are not.
    """

    name: str
    words: Sequence[str]
    inputs: Callable[[Path], None]
    main: str
    earlier: Sequence[str] = ()
    again: Sequence[str] = ()
    begun: str | None = None
    volatile: Sequence[str] = field(default=())


def _scene(folder: Path) -> None:
    write_cloudy_scene(folder / "s2.tif", 128, 128)
    write_radar(folder / "s1.tif", 128, 128)


def _scenes(folder: Path) -> None:
    (folder / "in").mkdir()
    for name in ("a", "b"):
        write_cloudy_scene(folder / "in" / f"{name}_s2.tif", 96, 96)
        write_radar(folder / "in" / f"{name}_s1.tif", 96, 96)


def _patches(folder: Path) -> None:
    for number in range(3):
        write_triplet(folder / "data", f"p{number}", 64, seed=number)


_BOTH = ("--s1", "s1.tif", "--s2", "s2.tif")
_TRAIN = ("train", "dsen2_cr", "--data", "data", "-o", "out/run", "--batch-size", "2", "--crop",
          "32", "--device", "cpu", "--s2-offset", "0", "--network-setting", "blocks=1",
          "--network-setting", "features=8")  # fmt: skip

COMMANDS = {
    one.name: one
    for one in (
        Command(
            "mask",
            ("mask", "s2.tif", "-o", "out/m.tif", "--score", "out/m_score.tif", "--qml"),
            _scene, "m.tif",
            earlier=("--dilate", "100m"),
        ),
        Command(
            "coregister",
            ("coregister", *_BOTH, "-o", "out/c.tif", "--quicklook", "out/c.png"),
            _scene, "c.tif",
            earlier=("--shift", "none"),
        ),
        Command(
            "remove",
            ("remove", *_BOTH, "-o", "out/r.tif", "--fill-by", "scene", "--write-mask"),
            _scene, "r.tif",
            earlier=("--uncertainty", "--qml", "--dilate", "100m"),
        ),
        Command(
            "batch",
            ("batch", "in", "-o", "out", "--fill-by", "scene"),
            _scenes, "a_cloudfree.tif",
            earlier=("--uncertainty", "--qml"),
            again=("--skip-existing",),
            volatile=("batch.jsonl",),
        ),
        Command(
            "train",
            (*_TRAIN, "--steps", "2", "--checkpoint-every", "1", "--seed", "1"),
            _patches, "run/card.toml",
            earlier=("--seed", "2"),
            again=("--resume",),
            begun="out/run/settings.toml",
            volatile=("losses.csv", "checkpoint.pt", "tensorboard"),
        ),
    )
}  # fmt: skip


def forked(
    folder: Path, words: Sequence[str], limits: Mapping[int, int] | None = None
) -> BaseProcess:
    """Begin a run in a folder; what it prints goes to `log` beside it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    process = context.Process(target=_run, args=(folder, list(words), dict(limits or {})))
    process.start()
    return process


def _run(folder: Path, words: list[str], limits: dict[int, int]) -> None:
    from cloudfree.cli.group import main

    os.chdir(folder)
    (folder / TEMPORARY).mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder / TEMPORARY)
    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    sys.argv = ["cloudfree", *words]
    main()


def log_of(folder: Path) -> str:
    """What the last run in a folder printed."""
    return folder.with_suffix(".log").read_text(errors="replace")


def finished(process: BaseProcess) -> int:
    """The exit code of a run, which is waited for."""
    process.join(PATIENCE_S)
    code = process.exitcode
    if code is None:
        process.kill()
        raise AssertionError("the run does not end")
    return code


def killed_at(process: BaseProcess, seconds: float) -> None:
    """Kill a run after some seconds, unless it has ended."""
    process.join(seconds)
    process.kill()
    process.join()


def await_workers(folder: Path) -> None:
    """Wait until the workers of a batch that was killed in a folder have ended, as they must."""
    end = time.monotonic() + PATIENCE_S
    while any(_works_in(process, folder) for process in Path("/proc").glob("[0-9]*")):
        assert time.monotonic() < end, "workers go on without their batch"
        time.sleep(0.05)


def _works_in(process: Path, folder: Path) -> bool:
    with suppress(OSError):
        return (process / "cwd").resolve() == folder.resolve()
    return False


def timed(folder: Path, words: Sequence[str]) -> float:
    """The seconds of a run that must succeed."""
    start = time.monotonic()
    assert finished(forked(folder, words)) == 0, log_of(folder)
    return time.monotonic() - start


def state(folder: Path, volatile: Sequence[str] = ()) -> State:
    """All that lies in a folder: the digest of each file, and folders.

    Files that are `volatile` count by their names, folders not at all; nor does what libraries keep
    where temporary files are.
    """
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")))
    counted = (path for path in found if not {*path.parent.parts} & {*volatile})
    own = (path for path in counted if path.parts[0] != TEMPORARY or _is_hidden(path))
    return {str(path): _digest(folder / path, path.name in volatile) for path in own}


def _digest(path: Path, is_volatile: bool) -> str:
    if path.is_dir() or is_volatile:
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def visible(found: State) -> State:
    """A state without what lies hidden, which is litter of a killed run."""
    return {name: digest for name, digest in found.items() if not _is_hidden(Path(name))}


def hidden(found: State) -> list[str]:
    """The names of what lies hidden."""
    return [name for name in found if _is_hidden(Path(name))]


def _is_hidden(path: Path) -> bool:
    """Whether it is a draft or a journal, or lies in the folder of a draft."""
    ours = (".part.", ".journal")
    return any(part.startswith(".") and any(one in part for one in ours) for part in path.parts)
