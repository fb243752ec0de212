"""The files that an ONNX model consists of: weights may lie in others, which it names.

Source: ONNX specification, "External Data", and `onnx.TensorProto`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudfree.errors import ErrorCode, ModelError

# The key under which a tensor names its file; a model without it has all of its weights itself.
_LOCATION = "location"


def external_files(path: Path) -> list[Path]:
    """The files in the folder of a model, or below, that hold some of its weights, sorted.

    A file that is no ONNX model has none.

    Raises
    ------
    ModelError
        It names a file elsewhere, by its name or by a link.
    """
    content = path.read_bytes()
    if _LOCATION.encode() not in content:  # spares most models the import of onnx
        return []
    folder = path.parent.resolve()
    found = sorted({folder / name for name in _locations(content)})
    for file in found:
        inside = Path(os.path.abspath(file))  # noqa: PTH100 (`resolve` follows links)
        if not (inside.is_relative_to(folder) and file.resolve().is_relative_to(folder)):
            raise ModelError(
                f"{path.name} takes weights from {os.path.relpath(file, folder)}",
                wanted="files in the folder of the model",
                hint="export it with its weights inside, or put them beside it",
                code=ErrorCode.NOT_ALLOWED,
            )
    return found


def _locations(content: bytes) -> Iterator[str]:
    """The names of files in the bytes of a model."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:  # ONNX Runtime says why
        return
    for tensor in _tensors(model):
        yield from (one.value for one in tensor.external_data if one.key == _LOCATION)


def _tensors(message: Any) -> Iterator[Any]:
    """The tensors in a message of protobuf, however deep they lie."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in (value,) if hasattr(value, "DESCRIPTOR") else value:
                yield from _tensors(one)
