"""The weights of a DSen2-CR Keras file, `.h5` or `.hdf5`, as a state dict.

The published weights come in several layouts: of the whole model with its optimizer or of the
weights alone, numbered from 0, 1 or any number, each layer in a group of its own or all in one
(trained on several GPUs). One rule reads them all: each file lists its layers in the order of the
network, and each layer its tensors; those of four dimensions are the convolutions. The names say
nothing: layers are numbered, and the alphabet puts conv2d_10 before conv2d_2.

Source: Keras 2.2.4 and tf.keras, `save` and `save_weights` in HDF5.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from cloudfree.errors import ErrorCode, ModelError, parser_errors
from cloudfree.networks.dsen2_cr import DSen2CR

WANTED = "the weights of DSen2-CR as Keras 2 saves them in HDF5"
DAMAGED_HINT = "the file is damaged: copy or download it again"
OTHER_HINT = "give the DSen2-CR weights, saved with model.save or model.save_weights"
OPTICAL_BANDS, SAR_BANDS = 13, 2
MIN_CONVOLUTIONS = 4  # convolutions of a network with one residual block


def read_keras(path: Path) -> dict[str, Tensor]:
    """State dict of the ``DSen2CR`` whose weights are in a Keras file.

    Raises
    ------
    ModelError
        The file is missing, damaged, not from Keras, or holds another network.
    """
    if not path.is_file():
        raise ModelError(
            f"no file {path}", wanted=WANTED, hint="correct the path", code=ErrorCode.MISSING_FILE
        )
    if not h5py.is_hdf5(path):
        raise ModelError(f"{path.name} is not an HDF5 file", wanted=WANTED, hint=OTHER_HINT)

    def as_error(error: Exception) -> ModelError:
        found = f"{path.name} cannot be read to its end ({' '.join(str(error).split())})"
        return ModelError(found, wanted=WANTED, hint=DAMAGED_HINT)

    with parser_errors(as_error), h5py.File(path, "r") as file:
        return _state_dict(path.name, list(_tensors(path.name, file)))


def _tensors(name: str, file: h5py.File) -> Iterator[h5py.Dataset]:
    """The tensors of a file in the order of the network."""
    root = _own(name, file.get("model_weights", file), file)
    if "layer_names" not in root.attrs:
        raise ModelError(f"{name} lists no Keras layers", wanted=WANTED, hint=OTHER_HINT)
    for layer in _strings(root, "layer_names"):
        group = _own(name, _member(name, root, layer), file)
        for weight in _strings(group, "weight_names"):
            yield _own(name, _member(name, group, weight), file)


def _own(name: str, found: Any, file: h5py.File) -> Any:
    """A group or tensor, if it lies in this file: HDF5 links to others, and takes bytes of any."""
    elsewhere = found.file.filename != file.filename
    if not elsewhere and isinstance(found, h5py.Dataset):
        elsewhere = bool(found.external) or found.is_virtual
    if elsewhere:
        raise ModelError(
            f"{name} takes {found.name} from another file",
            wanted=WANTED,
            hint=OTHER_HINT,
            code=ErrorCode.NOT_ALLOWED,
        )
    return found


def _strings(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names; older files have them as bytes."""
    names = group.attrs.get(attribute, [])
    return [text.decode() if isinstance(text, bytes) else str(text) for text in names]


def _member(name: str, group: h5py.Group, member: str) -> Any:
    """The group or tensor of that name."""
    if member not in group:
        found = f"{name} lists {group.name.rstrip('/')}/{member}, but does not have it"
        raise ModelError(found, wanted=WANTED, hint=DAMAGED_HINT)
    return group[member]


def _state_dict(name: str, tensors: list[h5py.Dataset]) -> dict[str, Tensor]:
    """Name the tensors as in the network of their sizes."""
    kernels = [tensor for tensor in tensors if tensor.ndim == 4]
    biases = [tensor for tensor in tensors if tensor.ndim == 1]
    if len(kernels) % 2 or len(kernels) < MIN_CONVOLUTIONS or len(biases) != len(kernels):
        raise ModelError(
            f"{name} holds {len(kernels)} convolutions and {len(biases)} biases",
            wanted="2 convolutions and 2 for each residual block, each with a bias",
            hint=OTHER_HINT,
        )
    expected = _shapes_like(kernels)
    interleaved = [tensor for pair in zip(kernels, biases, strict=True) for tensor in pair]
    for (key, shape), tensor in zip(expected.items(), interleaved, strict=True):
        if tensor.shape != shape:
            raise ModelError(
                f"{name} holds {tensor.name} of shape {tensor.shape} as {key}",
                wanted=f"shape {shape}",
                hint=OTHER_HINT,
            )
    return {key: _to_torch(tensor) for key, tensor in zip(expected, interleaved, strict=True)}


def _shapes_like(kernels: list[h5py.Dataset]) -> dict[str, tuple[int, ...]]:
    """Key and Keras shape of each tensor of the network that has such convolutions."""
    _, _, bands, features = kernels[0].shape
    sar_bands = SAR_BANDS if bands > OPTICAL_BANDS else 0
    with torch.device("meta"):  # shapes without values
        network = DSen2CR(features, len(kernels) // 2 - 1, OPTICAL_BANDS, sar_bands)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    return {key: (*shape[2:], *shape[1::-1]) for key, shape in shapes.items()}


def _to_torch(tensor: h5py.Dataset) -> Tensor:
    """Read a tensor; kernels are (y, x, in, out) in Keras and (out, in, y, x) in torch."""
    values = np.asarray(tensor[()], dtype=np.float32)
    if values.ndim == 4:
        values = values.transpose(3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(values))
