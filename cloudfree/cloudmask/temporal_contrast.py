"""What other dates tell of clouds and shadows that a mask of one date misses, or finds too many of.

Today's light on a place differs from that of another date by a gain and an offset for each band,
which ground that is clear on both shows. Of what is left,

* ground that is brighter and whiter than on every date that shows it is cloud, if it lies beside
  clouds that the mask knows: a new roof is bright too, but seldom stands beside a cloud;
* ground that is darker in the infrared is shadow, where a cloud can throw one: ploughed or flooded
  fields are dark too;
* shadow of the mask that is as bright in the infrared as it was is dark ground.

The numbers were chosen on five towns (`python -m tests.bench.temporal_contrast`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.class_rules import resolve_thin_cloud
from cloudfree.cloudmask.shadow import ShadowProjection
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32

Bits = NDArray[np.bool_]

VISIBLE, INFRARED = ("B02", "B03", "B04"), ("B08", "B11")
CONTRAST_BANDS = (*VISIBLE, *INFRARED)
# Without it cloud and bright ground, shadow and ground, are told apart by the others.
OPTIONAL_BAND = "B11"

# Cloud is so much brighter in all visible bands, in reflectance and in the scatter of clear ground.
BRIGHTER, SCATTERS = np.float32(0.02), np.float32(2.0)
# And so white: bare soil, which harvest leaves, gains in blue less than this part of red.
WHITE = np.float32(0.7)
# Snow is as white, and darker at 1.6 um than any ground.
SNOW_DROP = np.float32(-0.02)
# Shadow leaves less than this share of the infrared, and takes so much reflectance of it.
DARKER, DROP = np.float32(0.8), np.float32(0.02)
# Snow, and cloud or haze that the mask of the other date misses, make ground look dark now too:
# they are as bright as that in the blue, or lose more there than in the infrared.
BRIGHT_BLUE = np.float32(0.3)
# Nothing becomes brighter in a shadow but by haze.
HAZE_GAIN, RED_GAIN = np.float32(0.015), np.float32(0.01)
# Ground that keeps more than this share of its infrared lies in no shadow.
LIT = np.float32(0.9)
# How far from clouds of the mask ground that has become brighter and whiter is cloud.
REACH_M = 500.0

# Side of the squares that are compared: half of the bands have pixels of 20 m.
SQUARE_M = 20.0
MEDIAN_SQUARES = 3
# Squares around a strip that decide on those in it.
HALO_SQUARES = MEDIAN_SQUARES // 2

# Clear ground that is needed for a gain, and scatter that is assumed at least: noise.
MIN_PIXELS = 400
LEAST_SCATTER = 0.004
GAINS = (0.3, 3.0)
_ROUNDS, _OUTLIER = 3, 3.0
# Of a normal distribution the standard deviation is so many times the median distance.
_MEDIAN_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class Light:
    """Today's light against that of another date: gain, offset, and scatter of clear ground."""

    gain: Float32
    offset: Float32
    scatter: Float32

    @classmethod
    def fit(cls, today: Float32, then: Float32) -> Light | None:
        """The light by ground, (band, pixel), that is clear on both; None if that is too little."""
        if today.shape[1] < MIN_PIXELS:
            return None
        fits = [_line(x, y) for x, y in zip(then, today, strict=True)]
        return cls(*(np.array(part, np.float32) for part in zip(*fits, strict=True)))

    def today(self, then: Float32) -> Float32:
        """What another date, (band, y, x), would be in today's light."""
        return self.gain[:, None, None] * then + self.offset[:, None, None]


def _line(x: Float32, y: Float32) -> tuple[float, float, float]:
    """Gain, offset and scatter of y by x, without outliers."""
    kept, gain, offset, scatter = np.ones(len(x), np.bool_), 1.0, 0.0, LEAST_SCATTER
    for _ in range(_ROUNDS):
        covariance = np.cov(x[kept], y[kept])
        gain = float(np.clip(covariance[0, 1] / max(covariance[0, 0], 1e-9), *GAINS))
        offset = float(np.median(y[kept] - gain * x[kept]))
        away = np.abs(y - gain * x - offset)
        scatter = max(_MEDIAN_TO_DEVIATION * float(np.median(away[kept])), LEAST_SCATTER)
        kept = away <= _OUTLIER * scatter
    return gain, offset, scatter


@dataclass(frozen=True)
class Contrast:
    """What one date, or all of them, say of each square, (y, x); all false where none shows it."""

    cloud: Bits
    dark: Bits
    lit: Bits
    seen: Bits

    @classmethod
    def of(cls, today: Float32, then: Float32, light: Light) -> Contrast:
        """The contrast of squares, (band, y, x) in the order of `CONTRAST_BANDS`, to a date."""
        expected = light.today(then)
        seen = np.isfinite(expected).all(axis=0) & np.isfinite(today).all(axis=0)
        left = np.where(seen, today - expected, np.float32(0))
        rise = np.stack([cv2.medianBlur(plane, MEDIAN_SQUARES) for plane in left])
        visible, infrared = rise[: len(VISIBLE)], rise[len(VISIBLE) :]
        was = np.where(seen, expected, np.float32(0))[len(VISIBLE) :]
        least = np.maximum(BRIGHTER, SCATTERS * light.scatter[: len(VISIBLE), None, None])
        white = visible[0] > WHITE * visible[2]
        bright = (visible > least).all(axis=0) & white & (infrared[1:] > SNOW_DROP).all(axis=0)
        dark = ((infrared < -DROP) & (infrared < (DARKER - 1) * was)).all(axis=0)
        dark &= (visible[0] < HAZE_GAIN) & (visible[2] < RED_GAIN)
        dark &= (infrared[0] < visible[0]) & (then[0] < BRIGHT_BLUE)
        lit = (infrared > (LIT - 1) * was).all(axis=0)
        return cls(*(np.asarray(one & seen) for one in (bright, dark, lit, seen)))

    def of_pixels(self, side: int, part: tuple[slice, slice]) -> Contrast:
        """The contrast of the pixels of a part of squares of `side` pixels, (y, x) in pixels."""
        planes = (self.cloud, self.dark, self.lit, self.seen)
        return Contrast(*(one.repeat(side, 0).repeat(side, 1)[part] for one in planes))


def agreed(contrasts: Sequence[Contrast]) -> Contrast:
    """Cloud and shadow where all dates that show the ground agree, lit ground where one says so."""
    seen = np.stack([one.seen for one in contrasts])
    shown = seen.any(axis=0)
    cloud = np.stack([one.cloud for one in contrasts]) | ~seen
    dark = np.stack([one.dark for one in contrasts]) | ~seen
    lit = np.stack([one.lit for one in contrasts])
    found = (shown & cloud.all(axis=0), shown & dark.all(axis=0), lit.any(axis=0), shown)
    return Contrast(*(np.asarray(one) for one in found))


def squares(planes: Float32, side: int) -> Float32:
    """Means of squares of `side` pixels, (band, y, x); NaN where one of them is.

    Squares at the end are as wide as what is left, made up with the last pixels.
    """
    if side == 1:
        return planes
    height, width = planes.shape[1:]
    size = -(-width // side), -(-height // side)
    # OpenCV takes a twentieth of the time of NumPy's means.
    padded = (_padded(plane, -height % side, -width % side) for plane in planes)
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in padded])


def _padded(plane: Float32, rows: int, cols: int) -> Float32:
    """A plane, (y, x), with its last pixels repeated below and to the right."""
    if not (rows or cols):
        return plane
    return np.asarray(cv2.copyMakeBorder(plane, 0, rows, 0, cols, cv2.BORDER_REPLICATE), np.float32)


def with_candidates(mask: Mask, found: Contrast) -> Mask:
    """A mask that is not dilated with candidates, which `confirmed` decides on.

    Thin cloud may be cloud, faint shadow may be shadow; shadow on lit ground is clear.
    """
    marked = mask.copy()
    marked[found.lit & (mask == MaskClass.SHADOW)] = MaskClass.CLEAR
    ground = marked == MaskClass.CLEAR
    marked[found.dark & ground] = MaskClass.FAINT_SHADOW
    marked[found.cloud & (ground | (mask == MaskClass.SHADOW))] = MaskClass.THIN_CLOUD
    return marked


def confirmed(marked: Mask, reach_px: float, projection: ShadowProjection) -> Mask:
    """The mask with cloud at most `reach_px` from clouds, and shadow where a cloud throws one."""
    resolved = resolve_thin_cloud(marked, reach_px)
    dark = resolved == MaskClass.FAINT_SHADOW
    if dark.any():
        thrown = projection.project(resolved == MaskClass.CLOUD)
        resolved = np.where(dark, np.uint8(MaskClass.CLEAR), resolved)
        resolved[dark & thrown] = MaskClass.SHADOW
    return resolved
