"""How much a network takes: parameters, multiply-accumulates, time and memory of one tile.

Multiply-accumulates are half of what torch's counter gives: convolutions and products of matrices,
not sums, norms and activations.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from cloudfree.errors import ErrorCode, ModelError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.load import ModelFiles, load_network
from cloudfree.inference.model import Arrays, Runtime
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import checked_weights
from cloudfree.inference.onnx_runtime import OnnxRuntime
from cloudfree.inference.torch_runtime import TorchRuntime, choose_device, choose_precision
from cloudfree.parallel.memory import peak_bytes, resident_bytes

MEGABYTE = 1e6


@dataclass(frozen=True)
class Complexity:
    """What one tile of `size_px` x `size_px` pixels takes.

    `seconds` is the median of the runs after the first. `memory_mb` is the peak of the process less
    what it took before the network was there, on a GPU the peak of what torch allocated there; None
    where it is not known. ONNX files do not say parameters and multiply-accumulates.
    """

    size_px: int
    runtime: str
    parameters: int | None
    macs: int | None
    seconds: float
    memory_mb: float | None


def measure_network(
    card: ModelCard,
    size_px: int,
    device: str,
    precision: str = "auto",
    repeats: int = 3,
    files: ModelFiles | None = None,
) -> Complexity:
    """Measure the network of a card in torch, with its weights or, without `files`, untrained.

    In a process of its own the memory is that of this network alone.

    Raises
    ------
    ModelError
        There is no such device, the weights do not fit, or the network takes no tile of that size.
    MemoryError
        The tile is too much for the device.
    """
    idle, place = resident_bytes(), choose_device(device)
    network = load_network(files) if files else build_network(card.network, card.network_settings)
    _check_size(size_px, int(getattr(network, "SIZE_MULTIPLE", card.multiple)))
    parameters = sum(one.numel() for one in network.parameters())
    runtime = TorchRuntime(network, card.inputs, place, choose_precision(precision, place))
    inputs = _inputs(card, size_px)
    with FlopCounterMode(display=False) as counter:
        runtime.run(inputs)
    seconds = _seconds(runtime, inputs, repeats)
    if place.type == "cuda":
        memory_mb: float | None = torch.cuda.max_memory_allocated(place) / MEGABYTE
    else:
        memory_mb = _memory_above(idle)
    macs = counter.get_total_flops() // 2
    words = runtime.description
    if place.type == "cpu":
        words += f", {torch.get_num_threads()} thread(s)"
    return Complexity(size_px, words, parameters, macs, seconds, memory_mb)


def measure_onnx(files: ModelFiles, size_px: int, device: str, repeats: int = 3) -> Complexity:
    """Measure an ONNX file; see `measure_network`.

    Raises
    ------
    ModelError
        There is no such device, or the file does not take tiles of that size.
    MemoryError
        The tile is too much for the device.
    """
    idle = resident_bytes()
    runtime = OnnxRuntime(checked_weights(files.weights, files.card), device)
    inputs = _inputs(files.card, size_px)
    runtime.run(inputs)
    seconds = _seconds(runtime, inputs, repeats)
    memory_mb = _memory_above(idle) if runtime.batch == 1 else None  # more than 1 is for a GPU
    return Complexity(size_px, runtime.description, None, None, seconds, memory_mb)


def _check_size(size_px: int, multiple: int) -> None:
    if size_px % multiple:
        raise ModelError(
            f"a tile of {size_px} pixels",
            wanted=f"a multiple of {multiple}",
            hint="choose another --size",
            code=ErrorCode.BAD_OPTION,
        )


def _inputs(card: ModelCard, size_px: int) -> Arrays:
    """One tile of noise."""
    draw = np.random.default_rng(0)
    return {
        name: draw.random((1, bands, size_px, size_px), dtype=np.float32)
        for name, bands in card.input_bands.items()
    }


def _seconds(runtime: Runtime, inputs: Arrays, repeats: int) -> float:
    """The median of some runs; the result is copied back, so that a GPU has ended."""
    durations = []
    for _ in range(repeats):
        begun = time.perf_counter()
        runtime.run(inputs)
        durations.append(time.perf_counter() - begun)
    return statistics.median(durations)


def _memory_above(idle: int | None) -> float | None:
    peak = peak_bytes()
    return None if idle is None or peak is None else (peak - idle) / MEGABYTE
