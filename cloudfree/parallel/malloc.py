"""Freed memory: keeping little of it, and giving it back to the system.

Both are of the GNU C library; elsewhere they do nothing.
"""

from __future__ import annotations

import ctypes
from functools import cache

# Number of the option in malloc.h.
_M_ARENA_MAX = -8
# With as many as threads `remove` takes 70 MB more and no less time (tests/bench/NOTES.md).
_HEAPS = 2


def trim_malloc() -> None:
    """Let the system have the memory that this process has freed but still holds.

    The allocator keeps what is freed between blocks still in use, and arrays that die on another
    thread than the one that made them leave ever more of it.

    Source: malloc_trim(3), GNU C library 2.8 and later.
    """
    trim = _of_allocator("malloc_trim")
    if trim:
        trim(0)


def limit_malloc_arenas() -> None:
    """Let the threads that this process will start share its heaps, of which each keeps something.

    Source: mallopt(3), M_ARENA_MAX. Heaps that are there stay.
    """
    set_option = _of_allocator("mallopt")
    if set_option:
        set_option(_M_ARENA_MAX, _HEAPS)


@cache
def _of_allocator(name: str) -> ctypes._NamedFuncPointer | None:
    try:
        function: ctypes._NamedFuncPointer = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return None
    return function
