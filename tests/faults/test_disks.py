"""A disk that is full at any stage: one line, the code for it, and the folder as it was."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Templates
from tests.faults.kills import Template
from tests.faults.runs import finished, forked, log_of, state

resource = pytest.importorskip("resource")

SEED = 20261125
LOG = 4096
NUMBER = int(os.environ.get("CLOUDFREE_DISKS", "100"))
SMALL = ["mask", "coregister", "remove"]


def _refused(found: Template, work: Path) -> bool:
    """Whether a run was refused, in one line, which left the folder as it was."""
    lines = [line for line in log_of(work).splitlines() if line.startswith("Error: ")]
    now = state(work, found.command.volatile)
    if not lines:
        assert now == found.after, log_of(work)
        return False
    (line,) = lines
    assert "cannot be written" in line
    assert now == found.before, log_of(work)
    return True


def _rooms(found: Template, number: int, most: int) -> Iterator[int]:
    """Bytes from those of the log of the run, which lies on the disk as well, to `most`."""
    draw = random.Random(f"{SEED} {found.command.name}")
    yield from (round(LOG * (most / LOG) ** draw.uniform(0, 1.05)) for _ in range(number))


def _with_limits(found: Template, tmp_path: Path, number: int) -> Counter[str]:
    """Runs whose files may not grow beyond a size that is drawn."""
    work, counts = tmp_path / "work", Counter[str]()
    for room in _rooms(found, number, found.largest):
        shutil.copytree(found.folder, work)
        code = finished(forked(work, found.words, {resource.RLIMIT_FSIZE: room}))
        refused = _refused(found, work)
        assert code == int(refused), log_of(work)
        counts["refused" if refused else "written"] += 1
        shutil.rmtree(work)
    return counts


@pytest.mark.parametrize("name", SMALL)
def test_a_file_that_may_not_grow(templates: Templates, tmp_path: Path, name: str) -> None:
    assert _with_limits(templates(name), tmp_path, 2)["refused"]


@contextmanager
def small_disk(place: Path, room_kb: int) -> Iterator[None]:
    """A disk in memory with so much room at a place, where this user may mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room_kb}k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.call(mount, stderr=subprocess.DEVNULL):
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def _on_small_disks(found: Template, tmp_path: Path, number: int) -> Counter[str]:
    """Runs on disks whose room is drawn."""
    used = sum(path.stat().st_size for path in found.folder.rglob("*") if path.is_file())
    disk, counts = tmp_path / "disk", Counter[str]()
    work = disk / "work"
    for room in _rooms(found, number, 4 * found.largest):
        with small_disk(disk, (2 * used + room) // 1024):
            shutil.copytree(found.folder, work)
            # Half of the files of the disk are taken twice: blocks are larger than their ends.
            filler = disk / "filler"
            filler.write_bytes(bytes(max(shutil.disk_usage(disk).free - room, 0)))
            code = finished(forked(work, found.words))
            log = shutil.copy(work.with_suffix(".log"), tmp_path / "work.log")
            refused = "Error: " in Path(log).read_text()
            assert state(work, found.command.volatile) == (found.before if refused else found.after)
            assert code == int(refused), Path(log).read_text()
            counts["refused" if refused else "written"] += 1
    return counts


@pytest.mark.skipif(sys.platform == "win32", reason="disks of POSIX")
@pytest.mark.parametrize("name", SMALL)
def test_a_disk_with_little_room(templates: Templates, tmp_path: Path, name: str) -> None:
    assert _on_small_disks(templates(name), tmp_path, 2)["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [_with_limits, _on_small_disks])
@pytest.mark.parametrize("name", SMALL)
def test_disks_with_room_for_any_stage(
    templates: Templates, tmp_path: Path, name: str, kind, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = kind(templates(name), tmp_path, NUMBER)
    with capsys.disabled():
        print(f"\n{name} {kind.__name__}: {dict(counts)}")
    assert counts.total() == NUMBER
