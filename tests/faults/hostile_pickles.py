"""Checkpoints that would run code if they were unpickled as Python does it."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

# What old files of torch begin with: magic number and protocol. Source: `torch.serialization`.
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


def hostile_checkpoints(marker: Path) -> dict[str, bytes]:
    """The bytes of files that would make the file `marker`, by the way in which they do it."""
    touch = f"open({str(marker)!r}, 'w').close()"
    calls: dict[str, Any] = {
        "a call of the system": Calls(os.system, f"touch '{marker}'"),
        "an expression": Calls(eval, touch),
        "statements": Calls(exec, touch),
        "a method of a method": Calls(getattr, Calls(eval, touch), "real"),
        "a call as an argument of an allowed one": Calls(OrderedDict, [(Calls(eval, touch), 1)]),
        "a path": Calls(Path.touch, marker),
    }
    found = {}
    for name, call in calls.items():
        for protocol in (2, 4):
            content = pickle.dumps({"weight": call}, protocol)
            found[f"{name}, protocol {protocol}"] = content
            found[f"{name}, protocol {protocol}, in a zip"] = _zipped(content)
    inner = pickle.dumps({"weight": calls["an expression"]}, 2)
    return found | {
        "a zip in a zip": _zipped(_zipped(inner)),
        "a zip in a zip in a zip": _zipped(_zipped(_zipped(inner))),
        "a zip with two pickles": _zipped(inner, more=[inner]),
        "a zip behind a pickle": inner + _zipped(inner),
        "a pickle behind tensors": pickle.dumps({"weight": 1}, 2) + inner,
        "an old file of torch": _old(calls["an expression"]),
        "a tar archive": _tarred(inner),
        "a script": _zipped(inner, folder="code"),
        "text": pickle.dumps({"weight": calls["an expression"]}, 0),
    }


def self_containing(path: Path) -> Path:
    """A checkpoint whose entry `model` is the checkpoint itself."""
    content: dict[str, Any] = {}
    content["model"] = content
    torch.save(content, path)
    return path


def _zipped(content: bytes, folder: str = "archive", more: list[bytes] | None = None) -> bytes:
    """As torch packs a pickle; more of them have the same name, and the last one counts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{folder}/version", "3\n")
        archive.writestr(f"{folder}/byteorder", "little")
        archive.writestr(f"{folder}/data.pkl", content)
        archive.writestr(f"{folder}/constants.pkl", content)
        for number, one in enumerate(more or []):
            archive.writestr(f"{folder}/{number}/data.pkl", one)
    return packed.getvalue()


def _old(call: Any) -> bytes:
    """As torch wrote before 1.6: several pickles one after the other."""
    system = {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": {}}
    parts = [_MAGIC, _PROTOCOL, system, {"weight": call}, []]
    return b"".join(pickle.dumps(part, 2) for part in parts)


def _tarred(content: bytes) -> bytes:
    """As torch wrote before 0.2."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
