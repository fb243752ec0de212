"""Which pixels are hazier than the clear ground of their scene.

Over clear ground of most kinds blue rises by half as much as red, and thin cloud adds the same to
both. Source: the haze-optimised transform of Zhang, Guindon and Cihlar (Remote Sens. Environ. 82,
2002) with the slope of Fmask (Zhu and Woodcock, Remote Sens. Environ. 118, 2012, equation 3), whose
constant for all scenes is the median of each scene here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.morphology import median_of
from cloudfree.cloudmask.score import Planes
from cloudfree.core.radiometry import Float32

HAZE_BANDS = ("B02", "B04", "B11")

SLOPE = np.float32(0.5)
# How far above the median of clear ground haze begins: 0.02 of haze over vegetation or soil, but
# so many standard deviations where the ground itself has many colours, as fields in a desert.
EXCESS = 0.01
DEVIATIONS = 2.0
# Standard deviation of normal numbers by their median distance from the median.
_NORMAL = 1.4826
# Water is blue without any haze; below this it takes nearly all light of the short-wave infrared.
LEAST_LAND_B11 = 0.05

# Share of an image that must be clear land for its median to mean something.
LEAST_CLEAR = 0.01


@dataclass(frozen=True)
class HazeThreshold:
    """Index of haze above which land is hazy."""

    index: np.float32

    def hazy(self, planes: Planes) -> NDArray[np.bool_]:
        """Where land is hazy, (y, x), after a 5x5 median: haze is never of a few pixels only."""
        return median_of((haze_index(planes) > self.index) & _is_land(planes))


def haze_threshold(planes: Planes, clear: NDArray[np.bool_]) -> HazeThreshold | None:
    """The threshold of a scene from its clear pixels, (y, x); None where too little is clear."""
    known = clear & _is_land(planes)
    if known.mean() < LEAST_CLEAR:
        return None
    index = haze_index(planes)[known]
    middle = np.median(index)
    deviation = _NORMAL * np.median(np.abs(index - middle))
    return HazeThreshold(np.float32(middle + max(EXCESS, DEVIATIONS * deviation)))


def haze_index(planes: Planes) -> Float32:
    """What blue has beyond half of red, (y, x)."""
    index: Float32 = planes["B02"] - SLOPE * planes["B04"]
    return index


def _is_land(planes: Planes) -> NDArray[np.bool_]:
    return np.asarray(planes["B11"] > LEAST_LAND_B11)
