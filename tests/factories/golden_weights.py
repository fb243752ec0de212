"""Rebuild the weights and the layout of a golden folder from the key names in its files."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor


def golden_weights(folder: Path, prefix: str = "") -> dict[str, Tensor]:
    """The floating-point tensors of a golden folder, stored or else rebuilt; without ``prefix``."""
    stored = folder / "weights.safetensors"
    if stored.exists():
        weights = load_file(stored)
    else:
        gains = read_json(folder / "meta.json").get("gains", {})
        floats = [e for e in read_json(folder / "state_dict.json") if e["dtype"] == "float32"]
        weights = {
            e["key"]: rebuilt(e["key"], e["shape"], gains)
            for e in floats
            if not e["key"].endswith("attn_mask")
        }
    return {key.removeprefix(prefix): value for key, value in weights.items()}


def golden_shapes(state_dict_json: Path, prefix: str = "") -> list[tuple[str, tuple[int, ...]]]:
    """Key and shape of every tensor, in the order of the state dict; without ``prefix``."""
    entries = read_json(state_dict_json)
    return [(entry["key"].removeprefix(prefix), tuple(entry["shape"])) for entry in entries]


def shapes(network: torch.nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    """The same for a network."""
    return [(key, tuple(value.shape)) for key, value in network.state_dict().items()]


def golden_arrays(path: Path) -> dict[str, Tensor]:
    """The arrays of inputs.npz or outputs.npz."""
    with np.load(path) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def rebuilt(key: str, shape: list[int], gains: dict[str, float]) -> Tensor:
    """One tensor, filled from its full official name only."""
    noise = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode()))).standard_normal(shape)
    leaf = key.rsplit(".", 1)[-1]
    gain = ([1.0] + [value for part, value in gains.items() if part in key])[-1]
    if leaf == "relative_position_bias_table":
        values = 0.5 * noise
    elif leaf == "running_var":
        values = np.exp(0.2 * noise)
    elif leaf in ("running_mean", "bias"):
        values = 0.1 * noise
    elif len(shape) == 1:
        values = 1 + 0.1 * noise
    else:
        values = gain * noise / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def read_json(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(path.read_text())
