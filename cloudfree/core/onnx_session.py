"""Opening ONNX files: what ONNX Runtime is told for every network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cloudfree.core.onnx_files import external_files
from cloudfree.errors import ModelError, parser_errors, reason_of

ONNX_SUFFIX = ".onnx"

CPU = "CPUExecutionProvider"
FATAL = 4  # severity: errors are raised as exceptions, and other messages are not needed

Provider = str | tuple[str, dict[str, str]]


# ONNX Runtime looks up a host of its maker ten seconds after its import, unless this says no.
_WITHOUT_TELEMETRY = "ORT_DISABLE_TELEMETRY"


def onnx_runtime() -> Any:
    """The module of ONNX Runtime, which then asks nothing of a network."""
    os.environ.setdefault(_WITHOUT_TELEMETRY, "1")
    import onnxruntime

    return onnxruntime


def open_session(
    path: Path, providers: Sequence[Provider] = (CPU,), *, optimise: bool = True, hint: str
) -> Any:
    """A session of an ONNX file on the first of `providers` that works.

    Raises
    ------
    ModelError
        The file is no network, for which `hint` says what to do, or takes weights from another
        folder.
    """
    onnxruntime = onnx_runtime()
    if path.is_file():
        external_files(path)
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
