"""Running networks with PyTorch."""

from __future__ import annotations

import importlib
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from cloudfree.core.model_card import ModelCard
from cloudfree.core.units import Float32
from cloudfree.errors import ModelError
from cloudfree.runtimes.model import Model
from cloudfree.runtimes.shelf import checked_weights, find_model, read_card

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
GPU_BATCH = 8


class TorchRuntime:
    """Runs a network on one device in one precision."""

    def __init__(self, network: nn.Module, device: torch.device, precision: torch.dtype) -> None:
        self._network = network.to(device).eval().requires_grad_(requires_grad=False)
        self._device, self._precision = device, precision

    @property
    def description(self) -> str:
        """Device and precision."""
        return f"torch {torch.__version__} on {self._device}, {self._precision}".replace(
            "torch.", ""
        )

    @property
    def batch(self) -> int:
        """A GPU wants several tiles to be busy; a CPU is busy with one, and saves the memory."""
        return GPU_BATCH if self._device.type == "cuda" else 1

    def run(self, optical: Float32, sar: Float32) -> Float32:
        """Predict a scaled batch from scaled batches."""
        mixed = self._precision is not torch.float32
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, self._precision, enabled=mixed),
        ):
            inputs = (torch.from_numpy(array).to(self._device) for array in (optical, sar))
            result: Float32 = self._network(*inputs).float().cpu().numpy()
        return result


def load_model(name: str, device: str = "auto", precision: str = "auto") -> Model:
    """The model of that name or path, ready to predict.

    Raises
    ------
    ModelError
        There is no such model, its weights do not fit its network, or the device is not there.
    """
    folder = find_model(name)
    card = read_card(folder)
    network = build_network(card)
    load_weights(network, checked_weights(folder, card))
    place = choose_device(device)
    return Model(card, TorchRuntime(network, place, choose_precision(precision, place)))


def build_network(card: ModelCard) -> nn.Module:
    """The network that a card names, with untrained weights."""
    try:
        module = importlib.import_module(f"cloudfree.networks.{card.network}")
        network: nn.Module = getattr(module, card.network_class)(**card.network_settings)
    except (ImportError, AttributeError, TypeError) as error:
        raise ModelError(
            f"card of {card.name} names network {card.network}.{card.network_class} ({error})",
            wanted="a class in cloudfree/networks and settings that it takes",
            hint="correct the entries network, class and network_settings of the card",
        ) from error
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Put the tensors of a safetensors file into a network; every one must fit."""
    tensors = load_file(path)
    wanted = network.state_dict()
    wrong = sorted(
        name
        for name in tensors.keys() | wanted.keys()
        if name not in tensors or name not in wanted or tensors[name].shape != wanted[name].shape
    )
    if wrong:
        raise ModelError(
            f"{len(wrong)} tensors of {path.name} do not fit the network ({', '.join(wrong[:3])})",
            wanted=f"exactly its {len(wanted)} tensors",
            hint="use weights that were trained with this network and these settings",
        )
    network.load_state_dict(tensors)


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the GPU where there is one."""
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
