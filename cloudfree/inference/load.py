"""From a name or a path to a model that predicts.

Finding the card of a model loads neither torch nor ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.errors import ErrorCode, ModelError
from cloudfree.inference.model_card import ModelCard, card_start, merge_tables, model_card
from cloudfree.inference.model_store import (
    checked_weights,
    find_model,
    is_file,
    read_card,
    sha256_of,
)
from cloudfree.inference.registry import card_entries

if TYPE_CHECKING:
    from torch import nn

    from cloudfree.inference.checkpoint import Tensors
    from cloudfree.inference.model import Model, Runtime


@dataclass(frozen=True)
class ModelFiles:
    """A card and the path of its weights; `tensors` if identifying the network has read them."""

    card: ModelCard
    weights: Path
    tensors: Tensors | None = None


def find_card(
    name: str, network: str | None = None, entries: Mapping[str, Any] | None = None
) -> ModelFiles:
    """The card of a model: of a folder, of an ONNX file, or made for a bare checkpoint.

    `entries` are entries of the card of a bare checkpoint that its network does not decide.

    Raises
    ------
    ModelError
        There is no such model, or its network is not recognised.
    """
    if not is_file(name):
        folder = find_model(name)
        card = read_card(folder)
        return ModelFiles(card, folder / card.weights)
    path = Path(name)
    if path.suffix == ONNX_SUFFIX:
        from cloudfree.inference.onnx_runtime import read_onnx_card

        return ModelFiles(read_onnx_card(path), path)
    return _find_checkpoint(path, network, entries or {})


def _find_checkpoint(path: Path, network: str | None, entries: Mapping[str, Any]) -> ModelFiles:
    """A bare checkpoint with the card that the catalogue gives its network."""
    from cloudfree.inference.checkpoint import identify, read_tensors

    tensors = read_tensors(path)
    found = identify(path, tensors, network)
    own = {
        "name": path.stem,
        "weights": path.name,
        "weights_sha256": sha256_of(path),
    }
    known = card_entries(found.network, found.settings, card_start(entries).optical.bands)
    card = model_card({**merge_tables(known, entries), **own})
    return ModelFiles(card, path, tensors)


def load_model(
    name: str, device: str = "auto", precision: str = "auto", network: str | None = None
) -> Model:
    """The model of that name or path, ready to predict.

    `network` forces the choice where the tensors of a bare checkpoint fit several networks.

    Raises
    ------
    ModelError
        There is no such model, its weights do not fit its network, or the device is not there.
    """
    from cloudfree.inference.model import Model
    from cloudfree.inference.onnx_runtime import OnnxRuntime
    from cloudfree.inference.torch_runtime import TorchRuntime, choose_device, choose_precision

    found = find_card(name, network)
    runtime: Runtime
    if found.weights.suffix == ONNX_SUFFIX:
        _check_precision(precision)
        runtime = OnnxRuntime(checked_weights(found.weights, found.card), device)
    else:
        place = choose_device(device)
        runtime = TorchRuntime(
            load_network(found), found.card.inputs, place, choose_precision(precision, place)
        )
    return Model(found.card, runtime)


def load_network(found: ModelFiles) -> nn.Module:
    """The network of a card with its weights."""
    from cloudfree.inference.checkpoint import build_network, load_strictly, read_tensors

    card, tensors = found.card, found.tensors
    if tensors is None:
        tensors = read_tensors(checked_weights(found.weights, card))
    network = build_network(card.network, card.network_settings)
    load_strictly(card.network, network, tensors, found.weights.name)
    return network


def _check_precision(name: str) -> None:
    """An ONNX file computes in the precision it was exported in."""
    if name not in ("auto", "fp32"):
        raise ModelError(
            f"precision {name} for an ONNX file",
            wanted="fp32, in which it was exported",
            hint="leave --precision out, or use the checkpoint",
            code=ErrorCode.BAD_OPTION,
        )
