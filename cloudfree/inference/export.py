"""Exporting a network as ONNX, and checking the file against torch."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from cloudfree.errors import ModelError
from cloudfree.inference.date_series import DATES
from cloudfree.inference.model import Arrays
from cloudfree.inference.model_card import ModelCard, card_entries_of
from cloudfree.inference.onnx_runtime import CARD_KEY, SMALLEST_SIDE, OnnxRuntime
from cloudfree.inference.torch_runtime import TorchRuntime

logger = logging.getLogger("cloudfree")

# Largest protobuf message, and so largest ONNX file.
LARGEST_BYTES = 2**31 - 1

# Largest difference to torch, relative to the largest value of outputs that exceed 1.
TOLERANCE = 1e-4

# Smallest side that every network supports: shifted windows of 8 at half the resolution.
MIN_EXPORT_PX = 32

# Dates of the noise that a network of several is traced with; other seeds give more.
TRACED_DATES = 2

Size = tuple[int, int, int]

# Logger and message of warnings on every export that do not concern the networks here.
_KNOWN_WARNINGS = {
    "torch.onnx._internal.exporter._registration": "torchvision is not installed",
    "onnxscript.optimizer._constant_folding": "Skipping constant folding for op",
}


@dataclass(frozen=True)
class OnnxParity:
    """Difference of an ONNX file to torch: the largest, and the sizes (n, y, x) compared."""

    difference: float
    sizes: tuple[Size, ...]
    smallest_side: int


def write_onnx(
    network: nn.Module,
    card: ModelCard,
    path: Path,
    opset: int,
    stage: Callable[[str], None] = lambda _: None,
) -> OnnxParity:
    """Write a network with its card as one ONNX file, and check it against torch.

    Batch, height and width are dynamic; if the network does not allow that, height and width are
    the card's tile. The file is compared with torch on noise of other sizes than it was traced
    with, and its card has the smallest side for which both agree. `stage` is called with the name
    of each stage as it begins.

    Raises
    ------
    ModelError
        The network is too large or cannot be exported, or the file disagrees with torch.
    """
    _check_size(network)
    network.eval().requires_grad_(requires_grad=False)
    reference = TorchRuntime(network, card.inputs, torch.device("cpu"), torch.float32)
    free = True
    stage("tracing the network")
    try:
        model = _traced(network, reference, card, opset, free)
    except (RuntimeError, ValueError) as error:
        logger.info(
            "height and width are fixed: the file is for tiles of %d pixels (%s)",
            card.tile, _first_line(error),
        )  # fmt: skip
        free = False
        stage("tracing the network for one size")
        model = _traced_fixed(network, reference, card, opset)
    _save(model, path, _card(card, free, smallest=1))
    stage("comparing the file with torch")
    parity = _compared(reference, card, path, free)
    _save(model, path, _card(card, free, parity.smallest_side))
    onnx.checker.check_model(path, full_check=True)
    return parity


def _check_size(network: nn.Module) -> None:
    size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    if size > LARGEST_BYTES:
        raise ModelError(
            f"weights of {size / 1e9:.1f} GB",
            wanted="less than 2 GB, the limit of one ONNX file",
            hint="use the checkpoint instead",
        )


class _TupleOutputs(nn.Module):
    """A network that returns its outputs as a tuple, which the exporter names by position.

    With `dated` the last input is that of the days.
    """

    def __init__(self, network: nn.Module, names: Sequence[str], dated: bool) -> None:
        super().__init__()
        self.network, self.names, self.dated = network, names, dated

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        if self.dated:
            *images, days = inputs
            result = self.network(*images, **{DATES: days})
        else:
            result = self.network(*inputs)
        return tuple(result[name] for name in self.names)


def _traced(
    network: nn.Module, reference: TorchRuntime, card: ModelCard, opset: int, free: bool
) -> onnx.ModelProto:
    """The network as ONNX, with height and width dynamic or the card's tile."""
    unit = export_side(card.multiple)
    size = (2, 2 * unit, 2 * unit) if free else (2, card.tile, card.tile)
    example, wanted = noise(card, size), inputs_of(card)
    names = list(reference.run(noise(card, (1, unit, unit) if free else size)))
    dims = _dims(card, free)
    with known_warnings_silenced():
        program = torch.onnx.export(
            _TupleOutputs(network, names, card.takes_several_dates).eval(),
            tuple(torch.from_numpy(example[name]) for name in wanted),
            dynamo=True,
            external_data=False,
            verbose=False,
            opset_version=opset,
            input_names=wanted,
            output_names=names,
            dynamic_shapes={"inputs": tuple(dims[name] for name in wanted)},
        )
    assert program is not None
    return without_source_paths(program.model_proto)


def _traced_fixed(
    network: nn.Module, reference: TorchRuntime, card: ModelCard, opset: int
) -> onnx.ModelProto:
    try:
        return _traced(network, reference, card, opset, free=False)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"network {card.network} cannot be exported ({_first_line(error)})",
            wanted="a network whose operations ONNX supports",
            hint="use the checkpoint instead",
        ) from error


def _dims(card: ModelCard, free: bool) -> dict[str, dict[int, Any]]:
    """The dynamic axes of each input; tracing specialises on sides of one unit, hence two."""
    ahead: dict[int, Any] = {0: torch.export.Dim("batch")}
    if card.takes_several_dates:
        ahead[1] = torch.export.Dim(DATES)
    rows = len(ahead) + 1
    dims = ahead | (dict(enumerate(_sides(card.multiple), rows)) if free else {})
    return {name: ahead if name == DATES else dims for name in inputs_of(card)}


def _sides(multiple: int) -> tuple[Any, Any]:
    """Height and width."""
    if multiple == 1:
        return torch.export.Dim("height", min=2), torch.export.Dim("width", min=2)
    rows, columns = (torch.export.Dim(name, min=2) for name in ("rows", "columns"))
    return multiple * rows, multiple * columns


def export_side(multiple: int) -> int:
    """The smallest multiple that every network supports."""
    return multiple * -(-MIN_EXPORT_PX // multiple)


def inputs_of(card: ModelCard) -> tuple[str, ...]:
    """The inputs of an exported file, in order."""
    return (*card.inputs, DATES) if card.takes_several_dates else card.inputs


def noise(card: ModelCard, size: Size, seed: int = 0) -> dict[str, Any]:
    """Uniform noise over the scales of the card, by the names of the network's inputs.

    Of a network of several dates it is a series of them, whose length depends on the seed.
    """
    random = np.random.default_rng(seed)
    scales = {"optical": card.optical_scaling.scale, "sar": card.sar_scaling.scale}
    count, height, width = size
    ahead = (count, TRACED_DATES + seed) if card.takes_several_dates else (count,)
    found = {
        name: random.uniform(*scales.get(name, (0.0, 1.0)), (*ahead, bands, height, width)).astype(
            np.float32
        )
        for name, bands in card.input_bands.items()
    }
    if card.takes_several_dates:
        found[DATES] = np.cumsum(random.uniform(1, 30, ahead), axis=1, dtype=np.float32)
    return found


def without_source_paths(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the source location of each node: paths of the exporting machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    return model


def _card(card: ModelCard, free: bool, smallest: int) -> str:
    """The card as JSON; a file for one size has it as multiple, so that tiles are padded."""
    entries = card_entries_of(card)
    entries["tile"] |= {SMALLEST_SIDE: smallest} | ({} if free else {"multiple": card.tile})
    return json.dumps(entries)


def _save(model: onnx.ModelProto, path: Path, card: str) -> None:
    onnx.helper.set_model_props(model, {CARD_KEY: card})
    onnx.save(model, path)


def _compared(reference: TorchRuntime, card: ModelCard, path: Path, free: bool) -> OnnxParity:
    """Compare the file with torch, in sizes and batches it was not traced with."""
    exported = OnnxRuntime(path, "cpu")
    unit = export_side(card.multiple)
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
    side, roomy = card.multiple, export_side(card.multiple)
    while side < roomy:
        # Networks may fail on so few pixels, and the file may differ from torch.
        with contextlib.suppress(Exception):
            inputs = noise(card, (1, side, side), 2)
            if _difference(reference, exported, inputs) <= TOLERANCE:
                return side
        side *= 2
    return roomy


def _difference(reference: TorchRuntime, exported: OnnxRuntime, inputs: Arrays) -> float:
    """Largest difference; in proportion to the largest value of the output where that exceeds 1."""
    expected, found = reference.run(inputs), exported.run(inputs)
    if list(expected) != list(found):
        return float("inf")
    return max(
        float(np.abs(found[name] - value).max() / max(1.0, np.abs(value).max()))
        for name, value in expected.items()
    )


def _is_unexpected(record: logging.LogRecord) -> bool:
    return _KNOWN_WARNINGS[record.name] not in record.getMessage()


@contextlib.contextmanager
def known_warnings_silenced() -> Iterator[None]:
    """Silence the known warnings of the exporter of torch 2.13; others still pass."""
    loggers = [logging.getLogger(name) for name in _KNOWN_WARNINGS]
    for known in loggers:
        known.addFilter(_is_unexpected)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            # Inputs share their axes, as intended.
            warnings.filterwarnings("ignore", "# The axis name: .* will not be used", UserWarning)
            yield
    finally:
        for known in loggers:
            known.removeFilter(_is_unexpected)


def _first_line(error: Exception) -> str:
    """First line of the root cause of an error; the exporter wraps it in advice."""
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    return str(root).strip().partition("\n")[0] or type(root).__name__
