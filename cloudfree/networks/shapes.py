"""What the shapes of tensors tell about the network they belong to.

Each network's file has `infer_settings(shapes)`: the constructor arguments of the network with such
tensors, or None if it is another one.
"""

from __future__ import annotations

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]


def number_below(shapes: Shapes, prefix: str) -> int:
    """How many different names follow `prefix`: `blocks.` counts blocks.0, blocks.1 and so on."""
    below = {key.removeprefix(prefix).split(".")[0] for key in shapes if key.startswith(prefix)}
    return len(below)
