"""Returning freed memory to the system, and arenas that threads share."""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cloudfree.parallel import malloc as malloc_module
from cloudfree.parallel.malloc import limit_malloc_arenas, trim_malloc


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_freed_between_blocks_in_use_is_returned() -> None:
    if malloc_module._allocator_function("malloc_trim") is None:
        pytest.skip("not the GNU C library")
    # Below the size from which the allocator maps arrays one by one, so that they share its heap.
    arrays = [np.ones(12_000, dtype=np.float64) for _ in range(2000)]
    del arrays[::2], arrays[1::2]
    full = resident_bytes()
    trim_malloc()
    assert full - resident_bytes() > 50e6
    assert all(array.all() for array in arrays)


THREADS_WITH_ARENAS = """
import ctypes, threading
from cloudfree.parallel.malloc import limit_malloc_arenas
limit_malloc_arenas()
together = threading.Barrier(6)
def work():
    ctypes.CDLL(None).malloc(1000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of the GNU C library")
@pytest.mark.parametrize("shared", [False, True])
def test_threads_share_two_arenas(shared: bool) -> None:
    if malloc_module._allocator_function("malloc_trim") is None:
        pytest.skip("not the GNU C library")
    script = (
        THREADS_WITH_ARENAS
        if shared
        else THREADS_WITH_ARENAS.replace("limit_malloc_arenas()\n", "")
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stderr.count("Arena") <= 2) is shared


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    malloc_module._allocator_function.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert malloc_module._allocator_function("malloc_trim") is None
    trim_malloc()
    limit_malloc_arenas()
    monkeypatch.undo()
    malloc_module._allocator_function.cache_clear()
