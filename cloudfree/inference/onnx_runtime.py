"""Running networks with ONNX Runtime."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cloudfree.core.onnx_session import CPU, Provider, onnx_runtime, open_session
from cloudfree.core.typed_entries import structured
from cloudfree.errors import ErrorCode, ModelError, parser_errors, reason_of
from cloudfree.inference.date_series import DATES
from cloudfree.inference.devices import gpu_index, memory_errors
from cloudfree.inference.model import GPU_BATCH, Arrays
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.model_store import NO_NETWORK, sha256_of

logger = logging.getLogger("cloudfree")

# Key of the model's own metadata under which its card is kept, as JSON.
CARD_KEY = "cloudfree_card"
# Entry of the card's table `tile` that only ONNX files have: the smallest side they support.
SMALLEST_SIDE = "smallest"

CUDA = "CUDAExecutionProvider"
# Axes of an input by their number: of one date, of several, and the days of these.
AXES = {
    4: ("batch", "band", "height", "width"),
    5: ("batch", DATES, "band", "height", "width"),
    2: ("batch", DATES),
}

EXPORT_ANEW = "export it anew with `cloudfree export`"


class OnnxRuntime:
    """Runs an ONNX file with the provider that the session obtained."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        self._session = open_session(path, _providers(device), hint=EXPORT_ANEW)
        self._provider = self._session.get_providers()[0]
        if device == "auto" and self._provider != CUDA and torch.cuda.is_available():
            logger.warning(
                "ONNX Runtime cannot use the GPU that torch sees, and runs on the CPU: install "
                "onnxruntime-gpu alone, with its CUDA and cuDNN"
            )
        if device.startswith("cuda") and self._provider != CUDA:
            raise ModelError(
                f"device {device}, but ONNX Runtime runs on {self._provider}",
                wanted="a session on CUDA",
                hint="install onnxruntime-gpu alone, with its CUDA and cuDNN, or use --device cpu",
                code=ErrorCode.BAD_OPTION,
            )
        self._names = [output.name for output in self._session.get_outputs()]
        tile = _card_entries(self._session).get("tile", {})
        self._smallest = tile.get(SMALLEST_SIDE, 1)

    @property
    def description(self) -> str:
        """Version and provider."""
        return f"ONNX Runtime {onnx_runtime().__version__}, {self._provider}"

    @property
    def batch(self) -> int:
        """Tiles per batch: several keep a GPU busy; one keeps a CPU busy."""
        return GPU_BATCH if self._provider == CUDA else 1

    def parallel_batches(self) -> AbstractContextManager[int]:
        """One batch: a session has its own threads."""
        return nullcontext(1)

    @property
    def inputs(self) -> Mapping[str, list[int | str]]:
        """Shape of each input by its name, as in the file: a number, or a name if dynamic."""
        return {given.name: given.shape for given in self._session.get_inputs()}

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return list(self._names)

    @property
    def free_axes(self) -> tuple[str, ...]:
        """The axes that are dynamic in every input that has them."""
        shapes = [dict(zip(AXES[len(s)], s, strict=True)) for s in self.inputs.values()]
        return tuple(
            axis
            for axis in max(shapes, key=len)
            if all(not isinstance(shape.get(axis, axis), int) for shape in shapes)
        )

    def run(self, inputs: Arrays) -> Arrays:
        """Predict scaled batches from scaled batches.

        Raises
        ------
        ModelError
            The file is not for arrays of that size.
        MemoryError
            The batch is too much for the device.
        """
        if DATES in self.inputs and DATES not in inputs:
            inputs = _as_series(inputs)
        feed = {name: inputs[name] for name in self.inputs if name in inputs}
        for name, shape in self.inputs.items():
            self._check_shape(name, shape, feed[name].shape if name in feed else ())
        with memory_errors():
            results = self._session.run(self._names, feed)
        return dict(zip(self._names, results, strict=True))

    def _check_shape(self, name: str, expected: list[int | str], found: tuple[int, ...]) -> None:
        fits = len(found) == len(expected) and all(
            not isinstance(side, int) or side == length
            for side, length in zip(expected, found, strict=True)
        )
        if not fits:
            raise ModelError(
                f"{name} of {_format_shape(found)} for an ONNX file",
                wanted=_format_shape(expected),
                hint="choose --tile accordingly, or use the checkpoint instead",
            )
        if name != DATES and min(found[-2:]) < self._smallest:
            raise ModelError(
                f"{name} of {_format_shape(found)} for an ONNX file",
                wanted=f"sides of at least {self._smallest} pixels",
                hint="give a larger scene, or use the checkpoint instead",
            )


def _as_series(inputs: Arrays) -> Arrays:
    """One date as a series of one, in which its day has no influence."""
    count = len(next(iter(inputs.values())))
    series = {name: value[:, None] for name, value in inputs.items()}
    return {**series, DATES: np.zeros((count, 1), np.float32)}


def read_onnx_card(path: Path) -> ModelCard:
    """The card in a file of `cloudfree export`, with the name and hash of the file.

    Raises
    ------
    ModelError
        The file is no ONNX model or carries no card.
    """
    entries = _card_entries(open_session(path, optimise=False, hint=EXPORT_ANEW))
    if not entries:
        raise ModelError(
            f"{path.name} carries no card",
            wanted="an ONNX file made by `cloudfree export`",
            hint="put it into a folder with a card.toml whose entry `weights` names it",
        )
    own = {"weights": path.name, "weights_sha256": sha256_of(path)}
    return model_card({"network": NO_NETWORK, **entries, **own})


def available_providers() -> tuple[str, ...]:
    """Short names of the providers that this ONNX Runtime was built with, best first."""
    names = onnx_runtime().get_available_providers()
    return tuple(str(name).removesuffix("ExecutionProvider") for name in names)


def _card_entries(session: Any) -> dict[str, Any]:
    """The card inside an ONNX file; empty if there is none."""

    def as_error(error: Exception) -> ModelError:
        return ModelError(
            f"a card in an ONNX file that cannot be read ({reason_of(error)})",
            wanted="the card that `cloudfree export` writes, as JSON",
            hint=EXPORT_ANEW,
        )

    with parser_errors(as_error):
        text = session.get_modelmeta().custom_metadata_map.get(CARD_KEY, "{}")
        return structured(json.loads(text), dict[str, Any], "card")


def _providers(device: str) -> list[Provider]:
    """Providers to try, best first; a compiled-in provider may still find no device."""
    index = gpu_index(device)
    if index is None or CUDA not in onnx_runtime().get_available_providers():
        return [CPU]
    # The default search tries every algorithm anew for each shape of a tile.
    settings = {"device_id": str(index), "cudnn_conv_algo_search": "HEURISTIC"}
    return [(CUDA, settings), CPU]


def _format_shape(shape: tuple[int, ...] | list[int | str]) -> str:
    return " x ".join(map(str, shape)) or "no array"
