"""Opening ONNX files: what ONNX Runtime is told for every network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cloudfree.errors import ModelError, parser_errors, reason_of

ONNX_SUFFIX = ".onnx"

CPU = "CPUExecutionProvider"
FATAL = 4  # severity: errors are raised as exceptions, and other messages are not needed

Provider = str | tuple[str, dict[str, str]]


def open_session(
    path: Path, providers: Sequence[Provider] = (CPU,), *, optimise: bool = True, hint: str
) -> Any:
    """A session of an ONNX file on the first of `providers` that works.

    Raises
    ------
    ModelError
        The file is no network; `hint` says what to do then.
    """
    import onnxruntime

    # It logs every library that it tries while it looks for a provider.
    onnxruntime.set_default_logger_severity(FATAL)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL

    def as_error(error: Exception) -> ModelError:
        return ModelError(
            f"{path.name} cannot be loaded ({reason_of(error)})", wanted="an ONNX model", hint=hint
        )

    with parser_errors(as_error):
        return onnxruntime.InferenceSession(path, options, providers=list(providers))
