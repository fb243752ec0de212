"""What a run and its processes hold while it works: memory, open files, temporary files."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Sample:
    """What is held at one moment; memory in MB, without what is shared."""

    processes: int
    memory_mb: float
    open_files: int
    temporary_files: int


def sampled(process: BaseProcess, temporary: Path, limit_s: float, every_s: float) -> list[Sample]:
    """Samples of a run until it ends; after `limit_s` it is killed."""
    samples, begun = list[Sample](), time.monotonic()
    try:
        while process.is_alive():
            assert time.monotonic() - begun < limit_s, "the run does not end"
            assert process.pid is not None
            samples.append(_sample(process.pid, temporary))
            process.join(every_s)
    finally:
        process.kill()
    return samples


def grown(samples: Sequence[Sample], what: str) -> tuple[float, float]:
    """The median of a quantity in the second quarter of a run and in its last."""
    values, quarter = [float(getattr(one, what)) for one in samples], len(samples) // 4
    assert quarter > 0, "too short to tell"
    return statistics.median(values[quarter : 2 * quarter]), statistics.median(values[-quarter:])


def _sample(pid: int, temporary: Path) -> Sample:
    family = [one for one in _family(pid) if (PROC / str(one)).exists()]
    return Sample(
        processes=len(family),
        memory_mb=sum(map(_own_memory_mb, family)),
        open_files=sum(map(_open_files, family)),
        # Unlike rglob, this does not mind a folder that goes meanwhile.
        temporary_files=sum(len(files) for _, _, files in os.walk(temporary)),
    )


def _family(pid: int) -> list[int]:
    """A process and all below it, which any of its threads may have begun."""
    found = [pid]
    for one in found:
        with suppress(OSError):  # it has ended
            for thread in (PROC / str(one) / "task").iterdir():
                found += map(int, (thread / "children").read_text().split())
    return found


def _own_memory_mb(pid: int) -> float:
    """Memory that is not shared with files or other processes."""
    try:
        _, resident, shared, *_ = (PROC / str(pid) / "statm").read_text().split()
    except (OSError, ValueError):
        return 0.0
    return (int(resident) - int(shared)) * _PAGE / 1e6


def _open_files(pid: int) -> int:
    try:
        return len(list((PROC / str(pid) / "fd").iterdir()))
    except OSError:
        return 0
