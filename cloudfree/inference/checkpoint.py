"""Reading checkpoints of any published layout, and loading them into networks."""

from __future__ import annotations

import inspect
import json
import logging
import pickle
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from cloudfree.errors import ErrorCode, ModelError
from cloudfree.inference.keras import read_keras
from cloudfree.inference.registry import network_entry, network_module, network_names

logger = logging.getLogger("cloudfree")

Tensors = dict[str, Tensor]

KERAS_SUFFIXES = (".h5", ".hdf5")

# Keys under which training scripts save the weights, in order of preference for prediction.
WRAPPERS = ("network", "state_dict", "model_state_dict", "params_ema", "params", "model")

# The configuration that some training scripts save next to the checkpoint.
SIDECAR = "conf.json"

# First bytes of a file saved by torch: a zip archive, or before torch 1.6 a pickle (protocol 2).
TORCH_MAGIC = (b"PK", b"\x80")


@dataclass(frozen=True)
class IdentifiedCheckpoint:
    """Which network a checkpoint belongs to: name, constructor arguments, tensors by its keys."""

    network: str
    settings: dict[str, Any]
    tensors: Tensors


def read_tensors(path: Path) -> Tensors:
    """The tensors of a checkpoint: safetensors, a PyTorch pickle, or Keras HDF5.

    Pickles are read without running their code.

    Raises
    ------
    ModelError
        The file is missing, damaged, or holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(
            f"no file {path}",
            wanted="a checkpoint",
            hint="correct the path",
            code=ErrorCode.MISSING_FILE,
        )
    if path.suffix in KERAS_SUFFIXES:
        return read_keras(path)
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    _check_usable(path, tensors)
    return tensors


def identify(path: Path, tensors: Tensors, network: str | None = None) -> IdentifiedCheckpoint:
    """Which network the tensors belong to; `network` forces the choice.

    Networks are tried in the order of the registry; if none fits, a prefix that all names share
    (`module.`, `net_G.`, `gen.gen.`) is removed and they are tried again.

    Raises
    ------
    ModelError
        No network has such tensors, or the given network has not.
    """
    names = [network] if network else network_names()
    for candidate in _without_prefixes(tensors):
        for name in names:
            own = _own_names(name, candidate)
            settings = _settings(path, name, own)
            if settings is not None:
                return IdentifiedCheckpoint(name, {**settings, **_sidecar(path, name)}, own)
    raise ModelError(
        f"the tensors of {path.name} ({', '.join(list(tensors)[:3])}, ...) are not those of "
        + (network if network else "a network in the registry"),
        wanted=f"a checkpoint of {', '.join(names)}",
        hint="check the file; `cloudfree models list` shows all networks",
    )


def build_network(name: str, settings: Mapping[str, Any]) -> nn.Module:
    """Build the network of that name, with untrained weights.

    Raises
    ------
    ModelError
        There is no such network, or it does not take these settings.
    """
    try:
        network: nn.Module = _network_class(name)(**settings)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"network {name} cannot be built with {dict(settings)} ({error})",
            wanted="the arguments of its class",
            hint="correct [network_settings] of the card",
        ) from error
    return network


def network_arguments(name: str) -> dict[str, Any]:
    """The arguments of the class of a network, with their defaults."""
    parameters = inspect.signature(_network_class(name)).parameters
    return {key: one.default for key, one in parameters.items() if one.default is not one.empty}


def load_strictly(name: str, network: nn.Module, tensors: Tensors, source: str) -> None:
    """Load tensors into the network of that name; all must fit by name and shape.

    Prefixes that all names share are removed until they fit.

    Raises
    ------
    ModelError
        Lists missing and unexpected tensors, and those of another shape.
    """
    expected = network.state_dict()
    forms = [_own_names(name, form) for form in _without_prefixes(tensors)]
    tensors = next((form for form in forms if form.keys() == expected.keys()), forms[0])
    wrong = {
        "missing": sorted(expected.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - expected.keys()),
        "of another shape": sorted(
            key
            for key in tensors.keys() & expected.keys()
            if tensors[key].shape != expected[key].shape
        ),
    }
    if any(wrong.values()):
        lists = [f"{kind}: {_listed(names)}" for kind, names in wrong.items() if names]
        raise ModelError(
            f"tensors of {source} do not fit the network ({'; '.join(lists)})",
            wanted=f"exactly its {len(expected)} tensors",
            hint="use weights that were trained with this network and these settings",
        )
    network.load_state_dict(tensors)


def _listed(names: list[str], limit: int = 5) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _read_safetensors(path: Path) -> Tensors:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise _damaged(path, error) from error


def _read_pickle(path: Path) -> Tensors:
    with path.open("rb") as file:
        if not file.read(2).startswith(TORCH_MAGIC):
            raise _no_checkpoint(path)
    try:
        with warnings.catch_warnings():
            # torch warns of old pickles before it reads or rejects them.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path.name} holds more than tensors ({_rejected_by_torch(error)})",
            wanted="a checkpoint that loads without running code",
            hint="save its state_dict alone where you trust it, then `cloudfree models convert`",
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error
    return _unwrapped(path, content)


def _rejected_by_torch(error: Exception) -> str:
    """Torch's reason, as `unsupported GLOBAL os.system`, without its advice to run the file."""
    reason = re.search(r"(?i)unsupported (?:global: )?\w+ \S+", str(error))
    return reason[0].rstrip(".") if reason else type(error).__name__


def _no_checkpoint(path: Path) -> ModelError:
    return ModelError(
        f"{path.name} is no checkpoint",
        wanted="a model's name or folder, a checkpoint (safetensors, PyTorch, Keras .h5), or ONNX",
        hint="correct --model; `cloudfree models list` shows the available models",
    )


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path.name} cannot be read ({str(error).splitlines()[0] if str(error) else error!r})",
        wanted="a whole checkpoint: safetensors, PyTorch, or Keras .h5",
        hint="copy or download the file again",
    )


def _unwrapped(path: Path, content: Any) -> Tensors:
    """The mapping of tensors in a saved object, which may hold itself."""
    for _ in range(len(WRAPPERS)):
        if not isinstance(content, Mapping):
            break
        if content and all(isinstance(value, Tensor) for value in content.values()):
            return dict(content)
        content = next((content[key] for key in WRAPPERS if key in content), None)
    raise ModelError(
        f"{path.name} holds no mapping of tensors",
        wanted=f"a state_dict, alone or under one of {', '.join(WRAPPERS)}",
        hint="save the state_dict of the network",
    )


def _check_usable(path: Path, tensors: Tensors) -> None:
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelError(
            f"{path.name} has weights that are not finite ({_listed(broken)})",
            wanted="finite weights",
            hint="use a checkpoint from before the training diverged",
        )


def _without_prefixes(tensors: Tensors) -> Iterator[Tensors]:
    """The tensors, then with the first part of the names removed as long as all share it."""
    while tensors:
        yield tensors
        first = {key.partition(".")[0] for key in tensors}
        if len(first) > 1 or any("." not in key for key in tensors):
            return
        tensors = {key.partition(".")[2]: value for key, value in tensors.items()}


def _settings(path: Path, name: str, tensors: Tensors) -> dict[str, Any] | None:
    """Constructor arguments of a network by its tensors; None if they are of another one."""
    shapes = {key: tuple(value.shape) for key, value in tensors.items()}
    module = network_module(network_entry(name).get("same_tensors_as", name))
    try:
        settings: dict[str, Any] | None = module.infer_settings(shapes)
    except KeyError as missing:
        raise ModelError(
            f"{path.name} looks like {name}, but lacks the tensor {missing.args[0]}",
            wanted="all tensors of the network",
            hint="use a whole checkpoint",
        ) from missing
    return settings


def _own_names(name: str, tensors: Tensors) -> Tensors:
    """The tensors renamed to the network's own keys, without those that it computes."""
    network_class = _network_class(name)
    for pattern, replacement in getattr(network_class, "RENAMED_KEYS", ()):
        tensors = {re.sub(pattern, replacement, key): value for key, value in tensors.items()}
    ignored = [re.compile(pattern) for pattern in getattr(network_class, "IGNORED_KEYS", ())]
    return {k: v for k, v in tensors.items() if not any(rule.search(k) for rule in ignored)}


def _network_class(name: str) -> Any:
    return getattr(network_module(name), network_entry(name)["class"])


def _sidecar(path: Path, name: str) -> dict[str, Any]:
    """Settings in the configuration next to a checkpoint, which tensors do not show."""
    network = _network_class(name)
    names = getattr(network, "SIDECAR_SETTINGS", ())
    if not names:
        return {}
    configuration = _configuration(path.with_name(SIDECAR))
    _check_design(path, configuration, getattr(network, "SIDECAR_FIXED", ()))
    if missing := [key for key in names if key not in configuration]:
        logger.info("no %s in %s next to %s: the published value is used",
                    " and ".join(missing), SIDECAR, path.name)  # fmt: skip
    return {key: configuration[key] for key in names if key in configuration}


def _configuration(sidecar: Path) -> dict[str, Any]:
    """The settings of the training, empty if there is no such file."""
    if not sidecar.is_file():
        return {}
    try:
        configuration: dict[str, Any] = json.loads(sidecar.read_text(encoding="utf-8"))
    except ValueError as error:
        wanted, hint = "the configuration of the training", "correct or remove the file"
        raise ModelError(f"{sidecar} is no JSON ({error})", wanted=wanted, hint=hint) from error
    return configuration


def _check_design(
    path: Path, configuration: Mapping[str, Any], fixed: Sequence[tuple[str, Any]]
) -> None:
    """Check that the training used the design of this tool where no tensor shows it."""
    for key, value in fixed:
        if configuration.get(key, value) != value:
            raise ModelError(
                f"{key} = {configuration[key]} in {path.with_name(SIDECAR)}",
                wanted=f"{key} = {value}, the only supported design",
                hint="use a checkpoint that was trained with it",
            )
