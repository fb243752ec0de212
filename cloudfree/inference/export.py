"""Writing a network as ONNX, and comparing what was written with the network itself."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from cloudfree.errors import ModelError
from cloudfree.inference.model import Arrays
from cloudfree.inference.model_card import ModelCard, card_entries_of
from cloudfree.inference.onnx_runtime import CARD_KEY, SMALLEST, OnnxRuntime
from cloudfree.inference.torch_runtime import TorchRuntime

logger = logging.getLogger("cloudfree")

# One file holds what one protobuf message holds.
LARGEST_BYTES = 2**31 - 1

# Largest difference to torch, where outputs are larger than 1 in proportion to the largest.
TOLERANCE = 1e-4

# Sides that every network has room for: windows of 8 at half the resolution, shifted.
ROOMY_PX = 32

Size = tuple[int, int, int]


@dataclass(frozen=True)
class OnnxParity:
    """How an ONNX file compares with torch: largest difference, and at which (n, y, x)."""

    difference: float
    sizes: tuple[Size, ...]
    smallest_side: int


def write_onnx(network: nn.Module, card: ModelCard, path: Path, opset: int) -> OnnxParity:
    """Write a network with its card as one ONNX file that agrees with it.

    Batch, height and width are free; where the network does not allow that, height and width are
    the card's tile. The file is compared with torch on noise of other sizes than it was traced
    with, and its card names the smallest side for which both agree.

    Raises
    ------
    ModelError
        The network is too large or cannot be exported, or the file disagrees with torch.
    """
    _check_size(network)
    network.eval().requires_grad_(requires_grad=False)
    reference = TorchRuntime(network, card.inputs, torch.device("cpu"), torch.float32)
    free = True
    try:
        model = _traced(network, reference, card, opset, free)
    except (RuntimeError, ValueError) as error:
        logger.info(
            "height and width are not free: the file is for tiles of %d pixels (%s)",
            card.tile, _first_line(error),
        )  # fmt: skip
        free = False
        model = _traced_fixed(network, reference, card, opset)
    _save(model, path, _card(card, free, smallest=1))
    agreement = _compared(reference, card, path, free)
    _save(model, path, _card(card, free, agreement.smallest_side))
    onnx.checker.check_model(path, full_check=True)
    return agreement


def _check_size(network: nn.Module) -> None:
    size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    if size > LARGEST_BYTES:
        raise ModelError(
            f"weights of {size / 1e9:.1f} GB",
            wanted="less than 2 GB, which is what one ONNX file can hold",
            hint="use the checkpoint instead",
        )


class _Listed(nn.Module):
    """A network that returns its outputs in order: the exporter names them by their place."""

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        result = self.network(*inputs)
        return tuple(result[name] for name in self.names)


def _traced(
    network: nn.Module, reference: TorchRuntime, card: ModelCard, opset: int, free: bool
) -> onnx.ModelProto:
    """The network as ONNX, height and width free or the card's tile."""
    unit = roomy_side(card.multiple)
    size = (2, 2 * unit, 2 * unit) if free else (2, card.tile, card.tile)
    example = noise(card, size)
    names = list(reference.run(noise(card, (1, unit, unit) if free else size)))
    dims = _dims(card.multiple, free)
    with _known_noise_silenced():
        program = torch.onnx.export(
            _Listed(network, names).eval(),
            tuple(torch.from_numpy(example[name]) for name in card.inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
            opset_version=opset,
            input_names=card.inputs,
            output_names=names,
            dynamic_shapes={"inputs": tuple(dims for _ in card.inputs)},
        )
    assert program is not None
    return _without_traces(program.model_proto)


def _traced_fixed(
    network: nn.Module, reference: TorchRuntime, card: ModelCard, opset: int
) -> onnx.ModelProto:
    try:
        return _traced(network, reference, card, opset, free=False)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"network {card.network} cannot be exported ({_first_line(error)})",
            wanted="a network whose operations ONNX has",
            hint="use the checkpoint instead",
        ) from error


def _dims(multiple: int, free: bool) -> dict[int, Any]:
    """The axes that stay open; tracing takes sides of one unit for a case of its own."""
    dims: dict[int, Any] = {0: torch.export.Dim("batch")}
    if free and multiple > 1:
        dims[2] = multiple * torch.export.Dim("rows", min=2)
        dims[3] = multiple * torch.export.Dim("columns", min=2)
    elif free:
        dims[2] = torch.export.Dim("height", min=2)
        dims[3] = torch.export.Dim("width", min=2)
    return dims


def roomy_side(multiple: int) -> int:
    """The smallest multiple that every network has room for."""
    return multiple * -(-ROOMY_PX // multiple)


def noise(card: ModelCard, size: Size, seed: int = 0) -> dict[str, Any]:
    """Even noise over the scales of the card: what a network is fed, by the names of its inputs."""
    random = np.random.default_rng(seed)
    scales = {"optical": card.optical_scaling.scale, "sar": card.sar_scaling.scale}
    count, height, width = size
    return {
        name: random.uniform(*scales.get(name, (0.0, 1.0)), (count, bands, height, width)).astype(
            np.float32
        )
        for name, bands in card.input_bands.items()
    }


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out where in the source each node comes from: paths of the machine that exported."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    return model


def _card(card: ModelCard, free: bool, smallest: int) -> str:
    """The card as JSON; a file for one size has that as multiple, so that tiles are padded."""
    entries = card_entries_of(card)
    entries["tile"] |= {SMALLEST: smallest} | ({} if free else {"multiple": card.tile})
    return json.dumps(entries)


def _save(model: onnx.ModelProto, path: Path, card: str) -> None:
    onnx.helper.set_model_props(model, {CARD_KEY: card})
    onnx.save(model, path)


def _compared(reference: TorchRuntime, card: ModelCard, path: Path, free: bool) -> OnnxParity:
    """Compare the file with torch, in sizes and batches it was not traced with."""
    exported = OnnxRuntime(path, "cpu")
    unit = roomy_side(card.multiple)
    sides = ((2 * unit, unit), (unit, 2 * unit)) if free else ((card.tile, card.tile),) * 2
    sizes: list[Size] = [(batch, *pair) for batch, pair in zip((1, 3), sides, strict=True)]
    differences = [_difference(reference, exported, noise(card, size, 1)) for size in sizes]
    if not max(differences) <= TOLERANCE:
        raise ModelError(
            f"an ONNX file that differs from torch by {max(differences):.1e}",
            wanted=f"at most {TOLERANCE:g}",
            hint="try another --opset, or use the checkpoint instead",
        )
    smallest = _smallest_side(reference, exported, card) if free else 1
    return OnnxParity(max(differences), tuple(sizes), smallest)


def _smallest_side(reference: TorchRuntime, exported: OnnxRuntime, card: ModelCard) -> int:
    """The first side, doubled from the multiple on, for which file and torch agree."""
    side, roomy = card.multiple, roomy_side(card.multiple)
    while side < roomy:
        # A network may have no answer for so few pixels, and the file another one than torch.
        with contextlib.suppress(Exception):
            inputs = noise(card, (1, side, side), 2)
            if _difference(reference, exported, inputs) <= TOLERANCE:
                return side
        side *= 2
    return roomy


def _difference(reference: TorchRuntime, exported: OnnxRuntime, inputs: Arrays) -> float:
    """Largest difference; in proportion to the largest value of the output where that exceeds 1."""
    wanted, found = reference.run(inputs), exported.run(inputs)
    if list(wanted) != list(found):
        return float("inf")
    return max(
        float(np.abs(found[name] - value).max() / max(1.0, np.abs(value).max()))
        for name, value in wanted.items()
    )


# Who says what on every export, and means nothing for the networks here.
_KNOWN_NOISE = {
    "torch.onnx._internal.exporter._registration": "torchvision is not installed",
    "onnxscript.optimizer._constant_folding": "Skipping constant folding for op",
}


def _worth_hearing(record: logging.LogRecord) -> bool:
    return _KNOWN_NOISE[record.name] not in record.getMessage()


@contextlib.contextmanager
def _known_noise_silenced() -> Iterator[None]:
    """Silence what the exporter of torch 2.13 always says; anything else is still heard."""
    talkers = [logging.getLogger(name) for name in _KNOWN_NOISE]
    for talker in talkers:
        talker.addFilter(_worth_hearing)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            # Inputs share their axes, which is what is wanted.
            warnings.filterwarnings("ignore", "# The axis name: .* will not be used", UserWarning)
            yield
    finally:
        for talker in talkers:
            talker.removeFilter(_worth_hearing)


def _first_line(error: Exception) -> str:
    """The reason at the root of a failure; the exporter wraps it in advice."""
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    return str(root).strip().partition("\n")[0] or type(root).__name__
