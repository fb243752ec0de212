"""Growing, smoothing and majority filters on masks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.mask_classes import Mask, MaskClass, in_shadow
from cloudfree.core.pixel_distance import distance_to_outside
from cloudfree.errors import ErrorCode, InputError

_DISTANCE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(m|px)\s*", re.IGNORECASE)
_ZERO = re.compile(r"\s*0+(?:\.0*)?\s*")

# A metre of a map projection is up to 0.1 % off a metre on the ground (UTM), and distances are
# rounded: a pixel at the very radius belongs to the disc, as one 4 pixels away to 40 m at 10 m.
_TOLERANCE = 1.002

# Discs of a smaller radius are laid on every pixel sooner than distances are measured: one of 4
# pixels in a fortieth of the time, one of 20 in half of it.
_WIDE_PX = 30


@dataclass(frozen=True)
class Distance:
    """A length in metres (`m`) or pixels (`px`)."""

    length: float
    unit: str

    def pixels(self, pixel_m: float) -> float:
        """The length in pixels of side `pixel_m`."""
        return self.length / pixel_m if self.unit == "m" else self.length


def parse_distance(text: str) -> Distance:
    """The distance that a text such as `40m`, `4px` or `0` means.

    Raises
    ------
    InputError
        No number, no unit, or a negative number.
    """
    if found := _DISTANCE.fullmatch(text):
        return Distance(float(found[1]), found[2].lower())
    if _ZERO.fullmatch(text):
        return Distance(0.0, "px")
    raise InputError(
        f"a distance of {text!r}",
        wanted="a length of at least 0 in metres or pixels, such as 40m or 4px",
        hint="add the unit, or give 0 for none",
        code=ErrorCode.BAD_OPTION,
    )


def dilation_halo_px(radius_px: float) -> int:
    """Rows around a strip that decide how the classes in it grow."""
    return math.ceil(radius_px * _TOLERANCE)


def dilate(mask: Mask, radius_px: float) -> Mask:
    """A mask, (y, x), whose clouds and shadows reach `radius_px` farther in every direction.

    Clouds grow over everything but nodata, shadows over clear ground and snow.
    """
    if radius_px <= 0:
        return mask
    dilated = mask.copy()
    for value in (MaskClass.SHADOW, MaskClass.CLOUD):
        dilated[near(mask, value, radius_px)] = value
    dilated[mask == MaskClass.NODATA] = MaskClass.NODATA
    return dilated


def near(mask: Mask, value: MaskClass, radius_px: float) -> NDArray[np.bool_]:
    """Pixels of a mask, (y, x), at most `radius_px` from one of class `value`."""
    there, reach_px = np.equal(mask, value), radius_px * _TOLERANCE
    if reach_px < _WIDE_PX:
        return cv2.dilate(there.astype(np.uint8), _disc(reach_px)).astype(np.bool_)
    return np.asarray(distance_to_outside(~there) <= reach_px)


@cache
def _disc(radius_px: float) -> NDArray[np.uint8]:
    """Ones at most `radius_px` from the middle of a square, zeros around them."""
    side = np.arange(-math.floor(radius_px), math.floor(radius_px) + 1)
    return (np.hypot(*np.meshgrid(side, side)) <= radius_px).astype(np.uint8)


MEDIAN_PX = 5
MEDIAN_HALO_PX = MEDIAN_PX // 2


def median_of(true: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The 5x5 median of a mask, (y, x); what lies outside the array is not true.

    The median of zeros and ones is one where more than half of them are.
    """
    count = cv2.boxFilter(
        true.astype(np.uint8),
        -1,
        (MEDIAN_PX, MEDIAN_PX),
        normalize=False,
        borderType=cv2.BORDER_CONSTANT,
    )
    return np.asarray(count > MEDIAN_PX**2 // 2)


def shadow_under_dilation(mask: Mask, reach_px: int) -> NDArray[np.bool_]:
    """Shadow of a mask, (y, x), and what is called cloud at most `reach_px` from it.

    A mask that grows calls the ground beside a cloud cloud, even where it lies in shadow: a dark
    line would stay there.
    """
    below = near(mask, MaskClass.SHADOW, reach_px) & np.equal(mask, MaskClass.CLOUD)
    return in_shadow(mask) | below
