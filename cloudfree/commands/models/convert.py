"""`cloudfree models convert`: any checkpoint that can be read, as a folder with a card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudfree.commands.options import PluginOptions
from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, ModelError, OutputError
from cloudfree.inference.load import find_card, load_network
from cloudfree.inference.model_store import (
    check_model_folder,
    is_file,
    read_card_entries,
    write_folder,
)
from cloudfree.inference.registry import load_plugins


@dataclass(frozen=True)
class ConvertOptions(PluginOptions):
    """The options of `cloudfree models convert`; names equal its parameters.

    `card` is a TOML file with entries of the card of a bare checkpoint.
    """

    model: str
    output: Path
    network: str | None = None
    card: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class ConvertResult:
    """The identified network and its model folder."""

    output: Path
    network: str
    license: str
    parameters: int
    weights_sha256: str

    def summary(self) -> str:
        """A few lines of text."""
        return (
            f"{self.output}\n  {self.network}, {self.parameters:,} parameters, "
            f"licence of the weights: {self.license}"
        )


def run(options: ConvertOptions, progress: Progress) -> ConvertResult:
    """Read a checkpoint without running its code, and write weights and card.

    Raises
    ------
    CloudfreeError
        The checkpoint cannot be read or is not recognised, or the folder cannot be written.
    """
    del progress
    load_plugins(options.plugin)
    check_model_folder(options.output, options.overwrite)
    found = find_card(options.model, options.network, _entries(options))
    if found.weights.suffix == ONNX_SUFFIX:
        raise ModelError(
            f"{found.weights.name} is an ONNX file",
            wanted="a checkpoint",
            hint="convert the checkpoint that it was exported from; `remove` takes it as it is",
        )
    _check_other_folder(found.weights, options.output)
    network = load_network(found)
    card = write_folder(network, found.card, options.output, options.overwrite)
    count = sum(parameter.numel() for parameter in network.parameters())
    return ConvertResult(options.output, card.network, card.license, count, card.weights_sha256)


def _entries(options: ConvertOptions) -> dict[str, Any] | None:
    """The entries of the card that are given, None if there are none."""
    if options.card is None:
        return None
    if not is_file(options.model):
        raise ModelError(
            f"--card for the model {options.model}, which has one",
            wanted="a bare checkpoint",
            hint="change its card.toml instead",
            code=ErrorCode.BAD_OPTION,
        )
    return read_card_entries(options.card)


def _check_other_folder(weights: Path, output: Path) -> None:
    """Refuse to write into the folder of the model that is read."""
    if weights.resolve().parent == output.resolve():
        raise OutputError(
            f"{output} holds {weights.name}, which is read",
            wanted="another folder for the new model",
            hint="choose another name",
        )
