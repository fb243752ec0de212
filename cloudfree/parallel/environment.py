"""What a process sets for the C libraries that it loads: environment variables, malloc limits.

They read these variables once, when they are loaded or first used. `import cloudfree` sets none of
them: a program that imports it decides for itself.

With another C library both functions do nothing.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

# GDAL's own limit is 5 % of the machine's memory, so that memory seems to grow with a scene. One
# row of 512-pixel blocks of a full 13-band tile is 146 MB.
_GDAL_CACHE_MB = 256

# GDAL decodes one block after the other by default; each thread holds blocks.
_GDAL_MAX_THREADS = 4


def set_library_defaults() -> None:
    """Set the variables that the user has not set; to be called before GDAL and torch are loaded.

    OpenMP threads sleep while they wait for each other, where by default they spin: beside other
    busy processes on two cores a tile of the default model took 2.0 s spinning and 0.1 s asleep.
    """
    os.environ.setdefault("GDAL_CACHEMAX", str(_GDAL_CACHE_MB))
    os.environ.setdefault("GDAL_NUM_THREADS", str(min(_GDAL_MAX_THREADS, os.cpu_count() or 1)))
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


# Number of the option in malloc.h.
_M_ARENA_MAX = -8
# With as many as threads `remove` takes 70 MB more and no less time (docs/experiments.md).
_ARENAS = 2


def trim_malloc() -> None:
    """Return memory to the system that this process has freed but still holds.

    The allocator keeps freed memory between blocks in use; arrays that are freed on another thread
    than the one that allocated them leave more and more of it.

    Source: malloc_trim(3), GNU C library 2.8 and later.
    """
    trim = _allocator_function("malloc_trim")
    if trim:
        trim(0)


def limit_malloc_arenas() -> None:
    """Limit the arenas that new threads of this process share: each holds freed memory.

    Arenas that exist stay. Source: mallopt(3), M_ARENA_MAX.
    """
    set_option = _allocator_function("mallopt")
    if set_option:
        set_option(_M_ARENA_MAX, _ARENAS)


@cache
def _allocator_function(name: str) -> ctypes._NamedFuncPointer | None:
    try:
        function: ctypes._NamedFuncPointer = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return None
    return function
