"""The allocator of the GNU C library: fewer arenas, and freed memory returned to the system.

With another C library both functions do nothing.
"""

from __future__ import annotations

import ctypes
from functools import cache

# Number of the option in malloc.h.
_M_ARENA_MAX = -8
# With as many as threads `remove` takes 70 MB more and no less time (tests/bench/NOTES.md).
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
