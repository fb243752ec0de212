"""Devices: the names that `--device` takes, their memory errors, CUDA streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import local
from traceback import clear_frames

import torch

from cloudfree.errors import ModelError

_NAME = re.compile(r"auto|cpu|cuda(?::(\d+))?")


def gpu_index(device: str) -> int | None:
    """Which GPU a name asks for, the first where it does not say; None for the CPU alone.

    Raises
    ------
    ModelError
        There is no device of that name.
    """
    asked = _NAME.fullmatch(device)
    if not asked:
        raise ModelError(
            f"device {device!r}", wanted="auto, cpu, cuda or cuda:N", hint="correct --device"
        )
    return None if device == "cpu" else int(asked[1] or 0)


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


class ThreadStream:
    """Gives each thread a stream of its own on a GPU, and nothing on a CPU.

    Work on one stream is done in order: were there one for all, the GPU would compute nothing while
    a batch is copied to or from it, and a batch would be copied only when the one before is done.

    Source: "CUDA semantics" of the PyTorch documentation, CUDA streams.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._of_thread = device, local()

    def entered(self) -> AbstractContextManager[object]:
        """The block's work goes to the stream of the thread, after all that its usual one holds.

        That is where weights are laid out, and where they learn.
        """
        if self._device.type != "cuda":
            return nullcontext()
        if not hasattr(self._of_thread, "stream"):
            self._of_thread.stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        own: torch.cuda.Stream = self._of_thread.stream
        own.wait_stream(torch.cuda.current_stream(self._device))
        return torch.cuda.stream(own)
