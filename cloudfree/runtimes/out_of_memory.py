"""What runtimes say when memory is out, as Python's own MemoryError."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Words of torch's allocators on CPU and GPU, and of ONNX Runtime's.
_WORDS = ("out of memory", "can't allocate memory", "failed to allocate memory")


def _nothing() -> None:
    pass


@contextmanager
def memory_errors(clear: Callable[[], None] = _nothing) -> Iterator[None]:
    """Raise what a library tells of memory that is out as MemoryError, after `clear`.

    torch raises a RuntimeError on the CPU and a kind of it on the GPU, ONNX Runtime an error of its
    own; only the words tell them from others.
    """
    try:
        yield
    except Exception as error:
        if not any(words in str(error).lower() for words in _WORDS):
            raise
        clear()
        raise MemoryError(str(error).strip().splitlines()[0]) from error
