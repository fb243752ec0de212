"""Devices by the names that `--device` takes."""

from __future__ import annotations

import re

from cloudfree.errors import ModelError

_NAME = re.compile(r"auto|cpu|cuda(?::(\d+))?")


def gpu_index(device: str) -> int | None:
    """Which GPU a name asks for, the first where it does not say; None for the CPU alone.

    Raises
    ------
    ModelError
        There is no device of that name.
    """
    asked = _NAME.fullmatch(device)
    if not asked:
        raise ModelError(
            f"device {device!r}", wanted="auto, cpu, cuda or cuda:N", hint="correct --device"
        )
    return None if device == "cpu" else int(asked[1] or 0)
