"""Which pixels are dark enough to be the shadow of a cloud.

Source: cloud shadow index of Zhai et al., "Cloud/shadow detection based on spectral indices for
multi/hyperspectral optical remote sensing imagery" (ISPRS J. 144, 2018), as the detector of
DSen2-CR (Meraner et al. 2020) applies it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.majority import median_of
from cloudfree.cloudmask.score import Planes
from cloudfree.core.radiometry import Float32

SHADOW_BANDS = ("B02", "B08", "B11")

# Where a threshold stands between the minimum and the mean of the scene.
INDEX_POSITION = 3 / 4
BLUE_POSITION = 5 / 6


@dataclass(frozen=True)
class ShadowThresholds:
    """Reflectance below which a pixel is dark: shadow index and blue."""

    index: np.float32
    blue: np.float32

    def dark(self, planes: Planes) -> NDArray[np.bool_]:
        """Where both are dark, (y, x); never where there is no data."""
        return (shadow_index(planes) < self.index) & (planes["B02"] < self.blue)

    def candidates(self, planes: Planes) -> NDArray[np.bool_]:
        """Dark pixels after a 5x5 median, (y, x); what lies outside the array is not dark."""
        return median_of(self.dark(planes))


@dataclass
class Moments:
    """Count, sum and minimum of the valid pixels of one plane."""

    count: int = 0
    total: float = 0.0
    minimum: float = float("inf")

    def add(self, values: Float32) -> None:
        """Take in an array of any shape; NaN is left out."""
        finite = np.isfinite(values)
        valid = values if finite.all() else values[finite]
        self.count += valid.size
        self.total += float(valid.sum(dtype=np.float64))
        self.minimum = min(self.minimum, float(valid.min(initial=np.inf)))

    def between(self, position: float) -> np.float32:
        """The value at `position` of the way from the minimum to the mean."""
        mean = self.total / max(self.count, 1)
        return np.float32(self.minimum + position * (mean - self.minimum))


@dataclass
class ShadowStatistics:
    """Minimum and mean over a scene that is seen strip by strip."""

    index: Moments = field(default_factory=Moments)
    blue: Moments = field(default_factory=Moments)

    def add(self, planes: Planes) -> None:
        """Take in the pixels of a strip that nobody took in before."""
        self.index.add(shadow_index(planes))
        self.blue.add(planes["B02"])

    def thresholds(self) -> ShadowThresholds:
        """The thresholds of the pixels seen so far."""
        return ShadowThresholds(
            self.index.between(INDEX_POSITION), self.blue.between(BLUE_POSITION)
        )


def shadow_index(planes: Planes) -> Float32:
    """Cloud shadow index, (y, x): mean reflectance of near and short-wave infrared."""
    index: Float32 = (planes["B08"] + planes["B11"]) * np.float32(0.5)
    return index
