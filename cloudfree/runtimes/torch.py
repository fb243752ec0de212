"""Running networks with PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cloudfree.errors import ModelError
from cloudfree.runtimes.model import Arrays
from cloudfree.runtimes.out_of_memory import memory_errors

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
GPU_BATCH = 8


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
        _flush_subnormals(self._network)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._device

    @property
    def description(self) -> str:
        """Device and precision."""
        precision = str(self._precision).removeprefix("torch.")
        return f"torch {torch.__version__} on {self._device}, {precision}"

    @property
    def batch(self) -> int:
        """A GPU wants several tiles to be busy; a CPU is busy with one, and saves the memory."""
        return GPU_BATCH if self._device.type == "cuda" else 1

    def run(self, inputs: Arrays) -> Arrays:
        """Predict scaled batches from scaled batches; what the card does not list goes by name.

        Raises
        ------
        MemoryError
            The batch is too much for the device.
        """
        more = {name: self._tensor(inputs[name]) for name in inputs if name not in self._inputs}
        mixed = self._precision is not torch.float32
        with (
            memory_errors(torch.cuda.empty_cache),
            torch.inference_mode(),
            torch.autocast(self._device.type, self._precision, enabled=mixed),
        ):
            result = self._network(*(self._tensor(inputs[name]) for name in self._inputs), **more)
            return {name: value.float().cpu().numpy() for name, value in result.items()}

    def _tensor(self, array: Arrays | object) -> Tensor:
        return torch.as_tensor(array).to(self._device)


def _flush_subnormals(network: nn.Module) -> None:
    """Set weights too small for a normal number to 0: the result is the same, many times sooner.

    A CPU multiplies subnormal numbers by hand; of the published SpA GAN weights 44 % are such.
    """
    for weights in network.parameters():
        weights[weights.abs() < torch.finfo(weights.dtype).tiny] = 0.0


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the GPU where there is one.

    Raises
    ------
    ModelError
        There is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            f"device {name}, but torch sees no GPU",
            wanted="a CUDA device",
            hint="use --device cpu, or install the CUDA build of torch and its driver",
        )
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ModelError(
            f"device {name!r}", wanted="auto, cpu, cuda or cuda:N", hint="correct --device"
        ) from error


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The precision of that name; `auto` is bf16 on a GPU and fp32 on a CPU."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return PRECISIONS[name]


def devices() -> tuple[str, ...]:
    """What networks can run on here, in words."""
    threads = f"cpu ({torch.get_num_threads()} threads)"
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    return (threads, *(f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in gpus))
