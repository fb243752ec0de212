"""Detectors whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.cloudmask.detector import Probabilities
from cloudfree.cloudmask.score import Planes
from cloudfree.core.radiometry import Float32


@dataclass
class BrightDetector:
    """Cloud is bright in blue, shadow dark in the infrared, snow bright green without B11."""

    name: str = "bright"
    threshold: float = 0.5
    cell_px: int = 1
    halo_px: int = 2
    windows: int = 0

    def bands(self, available: Sequence[str]) -> tuple[str, ...]:
        """All that it is given."""
        return tuple(available)

    def probabilities(self, planes: Planes) -> Probabilities:
        """Zeros and ones."""
        self.windows += 1
        snow = (planes["B03"] > 0.4) & (planes["B11"] < 0.1)
        cloud = (planes["B02"] > 0.4) & ~snow
        shadow = (planes["B08"] < 0.1) & ~snow & ~cloud
        return Probabilities(*(_number(part) for part in (cloud, cloud & False, shadow, snow)))


@dataclass
class FaintDetector(BrightDetector):
    """The same, and ground that is a little dark in the infrared may be shadow."""

    def probabilities(self, planes: Planes) -> Probabilities:
        """A fifth for what may be shadow."""
        found = super().probabilities(planes)
        faint = _number(planes["B08"] < 0.15) * np.float32(0.2)
        return replace(found, shadow=np.maximum(found.shadow, faint))


def _number(part: np.ndarray) -> Float32:
    return part.astype(np.float32)
