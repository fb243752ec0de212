"""Devices: names for `--device`, out-of-memory errors, CUDA streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import local
from traceback import clear_frames

import torch

from cloudfree.errors import ErrorCode, ModelError

_NAME = re.compile(r"auto|cpu|cuda(?::(\d+))?")

# Out-of-memory messages of torch's allocators, of CUDA libraries, and of ONNX Runtime.
_MEMORY_MESSAGES = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "failed to allocate memory",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
)


def gpu_index(device: str) -> int | None:
    """Index of the GPU of that name, 0 by default; None for the CPU.

    Raises
    ------
    ModelError
        There is no device of that name.
    """
    match = _NAME.fullmatch(device)
    if not match:
        raise ModelError(
            f"device {device!r}",
            wanted="auto, cpu, cuda or cuda:N",
            hint="correct --device",
            code=ErrorCode.BAD_OPTION,
        )
    return None if device == "cpu" else int(match[1] or 0)


@contextmanager
def memory_errors(clear: Callable[[], object] | None = None) -> Iterator[None]:
    """Convert a library's out-of-memory error to a MemoryError, after `clear`.

    The tensors of the failed work are released first: they are held by the frames of the error.
    torch raises a RuntimeError on the CPU and a subclass on the GPU, ONNX Runtime an error of its
    own; only the message distinguishes them from other errors.
    """
    try:
        yield
    except Exception as error:
        if not any(message in str(error).lower() for message in _MEMORY_MESSAGES):
            raise
        clear_frames(error.__traceback__)
        if clear:
            clear()
        raise MemoryError(str(error).strip().splitlines()[0]) from error


class ThreadStream:
    """A CUDA stream for each thread; nothing on a CPU.

    Work on one stream is sequential: with a shared one the GPU would be idle during copies, and a
    batch would be copied only after the previous one is done.

    Source: "CUDA semantics" of the PyTorch documentation, CUDA streams.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._per_thread = device, local()

    def activated(self) -> AbstractContextManager[object]:
        """Run the block on the stream of the thread, after all work queued on its current one.

        The current stream is where weights are loaded and trained.
        """
        if self._device.type != "cuda":
            return nullcontext()
        if not hasattr(self._per_thread, "stream"):
            self._per_thread.stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        own: torch.cuda.Stream = self._per_thread.stream
        own.wait_stream(torch.cuda.current_stream(self._device))
        return torch.cuda.stream(own)
