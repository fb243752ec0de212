"""The scale on which a network sees a band, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.core.radiometry import Float32


@dataclass(frozen=True)
class Scaling:
    """A linear map of clip intervals, one per band, onto one scale.

    `clip` holds (low, high) per band in the unit of the input; `scale` is what low and high become.
    """

    clip: tuple[tuple[float, float], ...]
    scale: tuple[float, float]

    def select(self, indices: Sequence[int]) -> Scaling:
        """The scaling of the bands at these indices."""
        return replace(self, clip=tuple(self.clip[index] for index in indices))

    def forward(self, values: Float32) -> Float32:
        """Clipped and scaled copy of `values`, (..., band, y, x)."""
        low, high = self._limits()
        start, stop = self.scale
        scaled = np.clip(values, low, high)
        if self._clips_only:
            return np.asarray(scaled, dtype=np.float32)
        scaled -= low
        scaled *= (stop - start) / (high - low)
        scaled += np.float32(start)
        return np.asarray(scaled, dtype=np.float32)

    def inverse(self, scaled: Float32) -> Float32:
        """Scaled numbers, (..., band, y, x), back in the unit of the input; nothing is clipped."""
        if self._clips_only:
            return scaled
        low, high = self._limits()
        start, stop = self.scale
        values = scaled - np.float32(start)
        values *= (high - low) / (stop - start)
        values += low
        return np.asarray(values, dtype=np.float32)

    def inverse_variance(self, scaled: Float32) -> Float32:
        """Variances of scaled numbers, (..., band, y, x), in the square of the input's unit."""
        low, high = self._limits()
        start, stop = self.scale
        return np.asarray(scaled * ((high - low) / (stop - start)) ** 2, dtype=np.float32)

    @property
    def _clips_only(self) -> bool:
        return all(interval == self.scale for interval in self.clip)

    def _limits(self) -> tuple[Float32, Float32]:
        limits = np.asarray(self.clip, dtype=np.float32)[:, :, None, None]
        return limits[:, 0], limits[:, 1]
