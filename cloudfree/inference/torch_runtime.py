"""Running networks with PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cloudfree.errors import ErrorCode, ModelError
from cloudfree.inference.devices import ThreadStream, gpu_index, memory_errors
from cloudfree.inference.model import GPU_BATCH, Arrays

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# Each concurrent batch takes 0.1 to 0.4 GB, for any network.
MAX_CPU_BATCHES = 4
# While a GPU computes one batch, the CPU fills gaps of the next, scales it and copies it there.
GPU_BATCHES = 2


class TorchRuntime:
    """Runs a network on one device in one precision; `inputs` is the order of its arguments."""

    def __init__(
        self,
        network: nn.Module,
        inputs: Sequence[str],
        device: torch.device,
        precision: torch.dtype,
    ) -> None:
        # Convolutions run up to 1.4 times faster on weights with the channels last.
        network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network.eval().requires_grad_(requires_grad=False)
        self._inputs, self._device, self._precision = inputs, device, precision
        self._stream = ThreadStream(device)
        _flush_subnormals(self._network)
        if device.type == "cpu":
            _prefer_onednn_for_pointwise(self._network)
        if precision is not torch.float32:
            _keep_full_precision(self._network)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self._device

    @property
    def description(self) -> str:
        """Device and precision."""
        precision = str(self._precision).removeprefix("torch.")
        return f"torch {torch.__version__} on {self._device}, {precision}"

    @property
    def batch(self) -> int:
        """Tiles per batch: several keep a GPU busy; one keeps a CPU busy and saves memory."""
        return GPU_BATCH if self._device.type == "cuda" else 1

    @contextmanager
    def parallel_batches(self) -> Iterator[int]:
        """Concurrent batches: two on a GPU; on a CPU several, which share its threads.

        Threads synchronise at every layer of a network, but not if each has a tile of its own.
        """
        threads = torch.get_num_threads()
        batches, each = split_threads(self._device, threads)
        torch.set_num_threads(each)
        try:
            yield batches
        finally:
            torch.set_num_threads(threads)

    def run(self, inputs: Arrays) -> Arrays:
        """Predict scaled batches from scaled batches; inputs not on the card are passed by name.

        Raises
        ------
        MemoryError
            The batch is too much for the device.
        """
        mixed = self._precision is not torch.float32
        with (
            memory_errors(torch.cuda.empty_cache),
            self._stream.activated(),
            torch.inference_mode(),
            torch.autocast(self._device.type, self._precision, enabled=mixed),
        ):
            tensors = {name: self._tensor(array) for name, array in inputs.items()}
            positional = [tensors.pop(name) for name in self._inputs]
            result = self._network(*positional, **tensors)
            # Some outputs are channels-last, where taking one band is slow.
            planes = {name: value.float().contiguous() for name, value in result.items()}
            return {name: value.cpu().numpy() for name, value in planes.items()}

    def _tensor(self, array: Arrays | object) -> Tensor:
        return torch.as_tensor(array).to(self._device)


def split_threads(device: torch.device, threads: int) -> tuple[int, int]:
    """Number of concurrent batches on a device, and of CPU threads for each."""
    if device.type == "cuda":
        return GPU_BATCHES, threads
    batches = min(threads, MAX_CPU_BATCHES)
    return batches, threads // batches


class _FullPrecision(nn.Module):
    """A part of a network that computes in fp32, even inside autocast."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run the part in fp32."""
        with torch.autocast(inputs[0].device.type, enabled=False):
            result: Tensor = self.part(*(given.float() for given in inputs))
        return result


def _keep_full_precision(network: nn.Module) -> None:
    """Wrap the parts in FULL_PRECISION of the network: its last layers.

    bf16 has 8 significant bits, which are 129 values from a half to 1 and show as steps on even
    ground.
    """
    for name in getattr(network, "FULL_PRECISION", ()):
        network.set_submodule(name, _FullPrecision(network.get_submodule(name)))


def _flush_subnormals(network: nn.Module) -> None:
    """Set weights too small for a normal number to 0: the result is the same, many times faster.

    CPUs multiply subnormal numbers in microcode; of the published SpA GAN weights 44 % are such.
    """
    for weights in network.parameters():
        weights[weights.abs() < torch.finfo(weights.dtype).tiny] = 0.0


def _prefer_onednn_for_pointwise(network: nn.Module) -> None:
    """Set a dilation on 1 x 1 convolutions, which has no effect on a kernel of one pixel.

    Without it torch uses a routine of its own on one thread, in up to three times the time.

    Source: `use_mkldnn` of aten/src/ATen/native/Convolution.cpp (seen in torch 2.13).
    """
    for part in network.modules():
        if isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1):
            part.dilation = (2, 2)


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the GPU if there is one.

    Raises
    ------
    ModelError
        There is no such device.
    """
    index, count = gpu_index(name), _gpus()
    if index is None or (name == "auto" and not count):
        return torch.device("cpu")
    if not count:
        raise ModelError(
            f"device {name}, but torch sees no GPU",
            wanted="a CUDA device",
            hint="use --device cpu, or install the CUDA build of torch and its driver",
            code=ErrorCode.BAD_OPTION,
        )
    if index >= count:
        raise ModelError(
            f"device {name}, but the last of the GPUs that torch sees is cuda:{count - 1}",
            wanted="a CUDA device",
            hint="correct --device; `cloudfree info` lists the available ones",
            code=ErrorCode.BAD_OPTION,
        )
    return torch.device("cuda", index)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The precision of that name; `auto` is bf16 on a GPU that computes in it, and fp32 elsewhere.

    Older GPUs take bf16 too, but emulate it, which is slower than fp32.
    """
    if name != "auto":
        return PRECISIONS[name]
    gpu = device.type == "cuda"
    fast = gpu and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def devices() -> tuple[str, ...]:
    """The available devices, in words."""
    threads = f"cpu ({torch.get_num_threads()} threads)"
    names = (torch.cuda.get_device_name(index) for index in range(_gpus()))
    return (threads, *(f"cuda:{index} ({name})" for index, name in enumerate(names)))


def _gpus() -> int:
    """How many GPUs torch can use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0
