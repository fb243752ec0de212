"""What a GPU computes with while a network learns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.backends import cudnn


@contextmanager
def fast_gpu_kernels(device: torch.device) -> Iterator[None]:
    """Let a GPU try out its convolutions, and multiply matrices in TF32 like these.

    All crops of a run have one size, so that what is found once holds for every step. On a CPU
    nothing changes.
    """
    if device.type != "cuda":
        yield
        return
    before = cudnn.benchmark, torch.get_float32_matmul_precision()
    cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        cudnn.benchmark = before[0]
        torch.set_float32_matmul_precision(before[1])
