"""Reflectance and dB to the numbers a network was trained on, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cloudfree.core.units import Float32


@dataclass(frozen=True)
class Scaling:
    """A linear map of clip intervals, one per band, onto one scale.

    `clip` holds (low, high) per band in the unit of the input; `scale` is what low and high become.
    """

    clip: tuple[tuple[float, float], ...]
    scale: tuple[float, float]

    def forward(self, values: Float32) -> Float32:
        """Clipped and scaled copy of `values`, (..., band, y, x)."""
        low, high = self._limits()
        start, stop = self.scale
        unit = (np.clip(values, low, high) - low) / (high - low)
        return np.asarray(start + unit * (stop - start), dtype=np.float32)

    def inverse(self, scaled: Float32) -> Float32:
        """Scaled numbers, (..., band, y, x), back in the unit of the input; nothing is clipped."""
        low, high = self._limits()
        start, stop = self.scale
        return np.asarray(low + (scaled - start) / (stop - start) * (high - low), dtype=np.float32)

    def _limits(self) -> tuple[Float32, Float32]:
        limits = np.asarray(self.clip, dtype=np.float32)[:, :, None, None]
        return limits[:, 0], limits[:, 1]
