"""How much a pixel looks like cloud, and how much hazier it is than clear ground.

Source: Schmitt et al., "Aggregating cloud-free Sentinel-2 images with Google Earth Engine"
(ISPRS Annals IV-2/W7, 2019), as the detector of DSen2-CR (Meraner et al. 2020) applies it.

Over clear ground of most kinds blue rises by half as much as red, and thin cloud adds the same to
both. Source: the haze-optimised transform of Zhang, Guindon and Cihlar (Remote Sens. Environ. 82,
2002) with the slope of Fmask (Zhu and Woodcock, Remote Sens. Environ. 118, 2012, equation 3), whose
constant for all scenes is the median of each scene here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.morphology import median_of
from cloudfree.core.radiometry import Float32

# The cirrus band joins where the scene has it; atmospherically corrected scenes (L2A) do not.
SCORE_BANDS = ("B01", "B02", "B03", "B04", "B11")
CIRRUS_BAND = "B10"

CLOSING_PX = 5
BOX_PX = 7
_CLOSING_WINDOW = np.ones((CLOSING_PX, CLOSING_PX), dtype=np.uint8)
# How far the score of a pixel sees: two passes of the closing's half width, one of the box's.
SCORE_HALO_PX = 2 * (CLOSING_PX // 2) + BOX_PX // 2

MIN_SCORE, MAX_SCORE = 1e-5, 1.0

# Of a full tile 0.35 MB a plane; half the time of a whole strip at once.
_CACHED_ROWS = 8

Planes = Mapping[str, Float32]


def cloud_score(planes: Planes, small_clouds: bool = False) -> Float32:
    """Smoothed score, (y, x), from 1e-5 (clear) to 1 (cloud); NaN where there is no data.

    The published detector averages scores far below zero, so that dark ground hides small clouds
    above it and the edges of large ones; with `small_clouds` no pixel counts as less than zero.

    `planes` holds reflectance, (y, x), by band name. The borders of the array are reflected; the
    published code pads its box mean with zeros, so that clouds end before the border. Pixels
    without data are left out of the filters, so they take nothing from their neighbours.
    """
    raw = np.concatenate([pixel_score(rows) for rows in _few_rows(planes)])
    if small_clouds:
        np.maximum(raw, 0.0, out=raw)
    missing = np.isnan(raw)
    if not missing.any():  # as most strips are: the same in fewer passes
        mean = _box_sum(_closing(raw)) / np.float32(BOX_PX**2)
        return np.clip(mean, MIN_SCORE, MAX_SCORE, out=mean)
    closed = _closing_of_valid(raw, missing)
    closed[missing] = 0.0
    seen = np.maximum(_box_sum((~missing).astype(np.float32)), 1.0)
    score = np.clip(_box_sum(closed) / seen, MIN_SCORE, MAX_SCORE)
    score[missing] = np.nan
    return np.asarray(score, dtype=np.float32)


def pixel_score(planes: Planes) -> Float32:
    """Score of each pixel by itself, (y, x): at most 1, unbounded below, NaN without data."""
    score = threshold_terms(planes)
    np.minimum(score, (ndsi(planes) - 0.8) / -0.2, out=score)
    return score


def threshold_terms(planes: Planes) -> Float32:
    """The same without the snow index: how bright a pixel is in the visible and cirrus bands."""
    aerosol, blue, green, red = (planes[band] for band in SCORE_BANDS[:4])
    score: Float32 = np.minimum((blue - 0.1) / 0.4, 1.0)
    np.minimum(score, (aerosol - 0.1) / 0.2, out=score)
    if CIRRUS_BAND in planes:
        np.minimum(score, (aerosol + planes[CIRRUS_BAND] - 0.15) / 0.05, out=score)
    np.minimum(score, (blue + green + red - 0.2) / 0.6, out=score)
    return score


def _few_rows(planes: Planes) -> Iterator[Planes]:
    """The same planes in parts that stay in the processor's cache from one step to the next."""
    for start in range(0, len(planes["B02"]), _CACHED_ROWS):
        yield {band: plane[start : start + _CACHED_ROWS] for band, plane in planes.items()}


def ndsi(planes: Planes) -> Float32:
    """Normalised difference snow index of green and short-wave infrared, (y, x), -1 to 1.

    Reflectance below zero, which the offset of newer products makes possible, counts as zero.
    """
    green, swir = np.maximum(planes["B03"], 0.0), np.maximum(planes["B11"], 0.0)
    total = green + swir
    total[total == 0] = 0.001
    index: Float32 = np.subtract(green, swir, out=green)
    index /= total
    return index


def _closing(raw: Float32) -> Float32:
    """Grey closing that sees nothing outside the array.

    Leaving the outside out and reflecting it are the same thing for a maximum and a minimum.
    """
    return _erode(_dilate(raw))


def _closing_of_valid(raw: Float32, missing: NDArray[np.bool_]) -> Float32:
    """Grey closing that looks at valid pixels only."""
    wide = _dilate(np.where(missing, np.float32(-np.inf), raw))
    wide[missing] = np.inf
    return _erode(wide)


def _dilate(values: Float32) -> Float32:
    return np.asarray(cv2.dilate(values, _CLOSING_WINDOW), dtype=np.float32)


def _erode(values: Float32) -> Float32:
    return np.asarray(cv2.erode(values, _CLOSING_WINDOW), dtype=np.float32)


def _box_sum(values: Float32) -> Float32:
    """Sum over the box around each pixel, borders reflected.

    Not `cv2.blur`: its running sum makes a pixel depend, in the last digit, on where a strip began.
    """
    ones = np.ones(BOX_PX, dtype=np.float32)
    summed = cv2.sepFilter2D(values, cv2.CV_32F, ones, ones, borderType=cv2.BORDER_REFLECT)
    return np.asarray(summed, dtype=np.float32)


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
