"""Several processes that train one network, and the kernels their GPUs use.

`torchrun` starts them and numbers each by its environment. After every step the
gradients, and the statistics of norm layers, are averaged over all of them, so that all hold the
same network.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.backends import cudnn

from cloudfree.inference.torch_runtime import choose_device


@contextmanager
def fast_gpu_kernels(device: torch.device) -> Iterator[None]:
    """Benchmark convolutions on a GPU, and multiply matrices in TF32 like these.

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


@dataclass(frozen=True)
class Processes:
    """Which process this is of how many, and what it computes on."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this one writes."""
        return self.rank == 0

    def average_gradients(self, network: nn.Module) -> None:
        """Give all processes the mean of their gradients."""
        self._average(
            parameter.grad for parameter in network.parameters() if parameter.grad is not None
        )

    def average_statistics(self, network: nn.Module) -> None:
        """Give all processes the mean of what their norm layers have seen."""
        self._average(buffer for buffer in network.buffers() if buffer.is_floating_point())

    def _average(self, tensors: Iterable[Tensor]) -> None:
        """One message for all tensors: many small ones would take longer."""
        found = list(tensors) if self.count > 1 else []
        if not found:
            return
        flat = torch.cat([tensor.detach().flatten() for tensor in found])
        distributed.all_reduce(flat)
        flat /= self.count
        means = torch.split(flat, [tensor.numel() for tensor in found])
        for tensor, mean in zip(found, means, strict=True):
            tensor.detach().copy_(mean.view_as(tensor))

    def gather(self, names: Iterable[str]) -> list[str]:
        """The names that any process knows, sorted."""
        known: list[list[str]] = [list(names)]
        if self.count > 1:
            known = [[] for _ in range(self.count)]
            distributed.all_gather_object(known, list(names))
        return sorted({name for own in known for name in own})

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.count > 1:
            distributed.barrier()


ALONE = Processes(0, 1, torch.device("cpu"))


@contextmanager
def join_processes(device: str) -> Iterator[Processes]:
    """Join the others that `torchrun` has started; without it there is one process.

    Raises
    ------
    ModelError
        There is no such device.
    """
    place = choose_device(device)
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(0, 1, place)
        return
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    processes = Processes(distributed.get_rank(), count, place)
    try:
        yield processes
        # One that leaves while others still talk to it may be aborted by threads of gloo.
        processes.wait()
    finally:
        distributed.destroy_process_group()
