"""Queues of a GPU, so that it copies one batch while it computes another."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from threading import local

import torch


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
