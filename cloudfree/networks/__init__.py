"""Architectures, one file each, that read from top to bottom.

Each file has `infer_settings(shapes)`: the constructor arguments of the network with tensors of
such shapes, or None if they belong to another network.
"""

from __future__ import annotations

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]


def number_below(shapes: Shapes, prefix: str) -> int:
    """How many different names follow `prefix`: `blocks.` counts blocks.0, blocks.1 and so on."""
    below = {key.removeprefix(prefix).split(".")[0] for key in shapes if key.startswith(prefix)}
    return len(below)
