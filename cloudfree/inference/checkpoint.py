"""Reading checkpoints of any published layout, and loading them into networks."""

from __future__ import annotations

import json
import logging
import pickle
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cloudfree.core.typed_entries import structured
from cloudfree.errors import ErrorCode, ModelError, parser_errors, reason_of
from cloudfree.inference.keras import read_keras
from cloudfree.inference.network_arguments import check_arguments, default_arguments
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

    def as_error(error: Exception) -> ModelError:
        return ModelError(
            f"network {name} cannot be built with {dict(settings)} ({reason_of(error)})",
            wanted="arguments that its class can be built with",
            hint="correct --network-setting, or [network_settings] of the card",
        )

    check_settings(name, settings)
    with parser_errors(as_error), _quiet():
        network: nn.Module = _network_class(name)(**settings)
        if not all(parameter.numel() for parameter in network.parameters()):
            raise ValueError("a layer without weights")
    return network


def check_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings that the network of that name does not take, without building it.

    Raises
    ------
    ModelError
        There is no such network, or names the first setting that is unknown or wrong.
    """
    check_arguments(name, _network_class(name), settings)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings: torch warns of what it refuses a moment later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def network_arguments(name: str) -> dict[str, Any]:
    """The arguments of the class of a network, with their defaults."""
    return default_arguments(_network_class(name))


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
    with parser_errors(partial(_damaged, path)):
        return load_file(path)


def _read_pickle(path: Path) -> Tensors:
    with path.open("rb") as file:
        if not file.read(2).startswith(TORCH_MAGIC):
            raise _no_checkpoint(path)
    with parser_errors(partial(_unpickled, path)), _quiet():
        content = torch.load(path, map_location="cpu", weights_only=True)
    return _unwrapped(path, content)


def _unpickled(path: Path, error: Exception) -> ModelError:
    """The error for a pickle: it is damaged, or torch does not load it without running code."""
    reason = re.search(r"(?i)unsupported (?:global: )?\w+ \S+", str(error))
    if not isinstance(error, pickle.UnpicklingError):
        return _damaged(path, error)
    return ModelError(
        # Torch's reason, as `unsupported GLOBAL os.system`, without its advice to run the file.
        f"{path.name} holds more than tensors "
        f"({reason[0].rstrip('.') if reason else type(error).__name__})",
        wanted="a checkpoint that loads without running code",
        hint="save its state_dict alone where you trust it, then `cloudfree models convert`",
    )


def _no_checkpoint(path: Path) -> ModelError:
    return ModelError(
        f"{path.name} is no checkpoint",
        wanted="a model's name or folder, a checkpoint (safetensors, PyTorch, Keras .h5), or ONNX",
        hint="correct --model; `cloudfree models list` shows the available models",
    )


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path.name} cannot be read ({reason_of(error)})",
        wanted="a whole checkpoint: safetensors, PyTorch, or Keras .h5",
        hint="copy or download the file again",
    )


def _unwrapped(path: Path, content: Any) -> Tensors:
    """The mapping of tensors in a saved object, which may hold itself."""
    for _ in range(len(WRAPPERS)):
        if not isinstance(content, Mapping):
            break
        if content and all(_is_named_tensor(*item) for item in content.items()):
            return dict(content)
        content = next((content[key] for key in WRAPPERS if key in content), None)
    raise ModelError(
        f"{path.name} holds no mapping of tensors",
        wanted=f"a state_dict, alone or under one of {', '.join(WRAPPERS)}",
        hint="save the state_dict of the network",
    )


def _is_named_tensor(name: Any, value: Any) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor)


# Quantised and 8-bit floats need their scale, complex numbers have two parts: no network of the
# registry is computed in them.
_NUMBERS = {
    torch.float64, torch.float32, torch.float16, torch.bfloat16,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
}  # fmt: skip


def is_plain(value: Tensor) -> bool:
    """Whether a tensor has its numbers, dense, of a type that networks compute in."""
    has_numbers = value.numel() > 0 and not value.is_meta
    return has_numbers and value.dtype in _NUMBERS and value.layout is torch.strided


def _check_usable(path: Path, tensors: Tensors) -> None:
    for name, value in tensors.items():
        if not is_plain(value):
            raise ModelError(
                f"tensor {name} of {path.name} is {_kind_of(value)}",
                wanted="dense numbers of float64, float32, float16, bfloat16 or whole ones",
                hint="convert the weights with the program that wrote them, as with `.float()`",
            )
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelError(
            f"{path.name} has weights that are not finite ({_listed(broken)})",
            wanted="finite weights",
            hint="use a checkpoint from before the training diverged",
        )


def _kind_of(value: Tensor) -> str:
    if value.is_meta or not value.numel():
        return "without numbers"
    layout = "" if value.layout is torch.strided else "sparse "
    return f"{layout}{value.dtype}".replace("torch.", "")


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
    try:
        settings: dict[str, Any] | None = network_module(name).infer_settings(shapes)
    except KeyError as missing:
        raise ModelError(
            f"{path.name} looks like {name}, but lacks the tensor {missing.args[0]}",
            wanted="all tensors of the network",
            hint="use a whole checkpoint",
        ) from missing
    except (IndexError, ValueError):  # its names, but not the axes of its tensors
        return None
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

    def as_error(error: Exception) -> ModelError:
        return ModelError(
            f"{sidecar} is no JSON of settings ({reason_of(error)})",
            wanted="the configuration of the training",
            hint="correct or remove the file",
        )

    with parser_errors(as_error):
        return structured(json.loads(sidecar.read_bytes()), dict[str, Any], SIDECAR)


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
