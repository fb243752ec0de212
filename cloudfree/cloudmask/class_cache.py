"""Classes that wait, deflated, for a second look at their scene."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from cloudfree.core.mask_classes import Mask
from cloudfree.core.window import Window

# The fastest: classes come in large areas, a hundredth of whose bytes is left already.
_LEVEL = 1


@dataclass
class ClassCache:
    """The classes of a scene in strips from top to bottom; a full tile takes a few megabytes."""

    _strips: list[tuple[Window, bytes]] = field(default_factory=list)

    def add(self, window: Window, mask: Mask) -> None:
        """Keep the next strip, (y, x)."""
        self._strips.append((window, zlib.compress(mask.tobytes(), _LEVEL)))

    def read(self, rows: Window) -> Mask:
        """The classes of a window as wide as the scene, (y, x), free to be written to."""
        strips = [
            (window, deflated)
            for window, deflated in self._strips
            if window.row < rows.row_stop and rows.row < window.row_stop
        ]
        held = np.concatenate([_inflated(*strip) for strip in strips])
        first = strips[0][0].row
        return held[rows.row - first : rows.row_stop - first]


def _inflated(window: Window, deflated: bytes) -> Mask:
    flat = np.frombuffer(zlib.decompress(deflated), dtype=np.uint8)
    return flat.reshape(window.height, window.width)
