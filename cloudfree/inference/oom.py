"""What runtimes say when memory is out, as Python's own MemoryError."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import clear_frames

# Words of torch's allocators on CPU and GPU, of the libraries of a GPU, and of ONNX Runtime's.
_WORDS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "failed to allocate memory",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
)


def _nothing() -> None:
    pass


@contextmanager
def memory_errors(clear: Callable[[], None] = _nothing) -> Iterator[None]:
    """Raise what a library tells of memory that is out as MemoryError, after `clear`.

    What the failed work held is let go before: the error keeps its frames, and they their tensors.
    torch raises a RuntimeError on the CPU and a kind of it on the GPU, ONNX Runtime an error of its
    own; only the words tell them from others.
    """
    try:
        yield
    except Exception as error:
        if not any(words in str(error).lower() for words in _WORDS):
            raise
        clear_frames(error.__traceback__)
        clear()
        raise MemoryError(str(error).strip().splitlines()[0]) from error
