"""Giving freed memory back to the system."""

from __future__ import annotations

import ctypes
from functools import cache


def give_back_freed_memory() -> None:
    """Let the system have the memory that this process has freed but still holds.

    The GNU allocator keeps what is freed between blocks still in use, and arrays that die on
    another thread than the one that made them leave ever more of it. Elsewhere this does nothing.

    Source: malloc_trim(3), GNU C library 2.8 and later.
    """
    trim = _malloc_trim()
    if trim:
        trim(0)


@cache
def _malloc_trim() -> ctypes._NamedFuncPointer | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return None
