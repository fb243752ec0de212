"""Running networks with ONNX Runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloudfree.core.model_card import ModelCard, model_card
from cloudfree.errors import ModelError
from cloudfree.runtimes.model import Arrays

ONNX_SUFFIX = ".onnx"

# Key of the model's own metadata under which its card is kept, as JSON.
CARD_KEY = "cloudfree_card"

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
GPU_BATCH = 8


class OnnxRuntime:
    """Runs an ONNX file with the provider that the session really got."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        self._session = _session(path, _providers(device))
        self._provider = self._session.get_providers()[0]
        if device.startswith("cuda") and self._provider != CUDA:
            raise ModelError(
                f"device {device}, but ONNX Runtime runs on {self._provider}",
                wanted="a session on CUDA",
                hint="install onnxruntime-gpu alone, with its CUDA and cuDNN, or use --device cpu",
            )
        self._names = [output.name for output in self._session.get_outputs()]

    @property
    def description(self) -> str:
        """Version and provider."""
        import onnxruntime

        return f"ONNX Runtime {onnxruntime.__version__}, {self._provider}"

    @property
    def batch(self) -> int:
        """A GPU wants several tiles to be busy; a CPU is busy with one."""
        return GPU_BATCH if self._provider == CUDA else 1

    def run(self, inputs: Arrays) -> Arrays:
        """Predict scaled batches from scaled batches."""
        results = self._session.run(self._names, dict(inputs))
        return dict(zip(self._names, results, strict=True))


def read_onnx_card(path: Path) -> ModelCard:
    """The card that `cloudfree export` wrote into an ONNX file.

    Raises
    ------
    ModelError
        The file is no ONNX model or carries no card.
    """
    metadata = _session(path, [CPU]).get_modelmeta().custom_metadata_map
    if CARD_KEY not in metadata:
        raise ModelError(
            f"{path.name} carries no card",
            wanted="an ONNX file made by `cloudfree export`",
            hint="put it into a folder with a card.toml whose entry `weights` names it",
        )
    return model_card({**json.loads(metadata[CARD_KEY]), "weights": path.name})


def _session(path: Path, providers: list[str]) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; what matters of the rest is said here
    try:
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as error:  # its exceptions share no public base class
        raise ModelError(
            f"{path.name} cannot be loaded ({str(error).splitlines()[0]})",
            wanted="an ONNX model",
            hint="export it anew with `cloudfree export`",
        ) from error


def _providers(device: str) -> list[str]:
    """Providers to try, best first; those that are compiled in may still find no device."""
    import onnxruntime

    available = onnxruntime.get_available_providers()
    return [CUDA, CPU] if device != "cpu" and CUDA in available else [CPU]
