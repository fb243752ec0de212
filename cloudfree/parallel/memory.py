"""Memory of this process, now and at its peak.

The peak that `getrusage` gives outlives `exec`: a child process begins with that of its parent.
Linux counts the peak of the program itself in /proc, which is taken where it is there.

Sources: proc_pid_status(5), VmHWM and VmRSS; fs/exec.c, `exec_mmap`.
"""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident_bytes() -> int | None:
    """What the process has in memory now; None where the system does not say."""
    return _of_status("VmRSS")


def peak_bytes() -> int | None:
    """The most that the process has had in memory; None where the system does not say."""
    return _of_status("VmHWM") or _of_usage()


def _of_status(name: str) -> int | None:
    if not _STATUS.is_file():
        return None
    entries = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
    return int(entries[name].split()[0]) * 1024 if name in entries else None


def _of_usage() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # others count in KiB
