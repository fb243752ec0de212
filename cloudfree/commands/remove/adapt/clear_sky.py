"""Ground that is surely seen as it is: neither cloud nor haze above it, nor any shadow on it.

A mask of clouds errs on the side of few clouds, for what it leaves out stays as it was. Who takes
clear pixels for the truth must err on the other side: what is kept here may be learned from.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cloudfree.cloudmask.haze import haze_index
from cloudfree.cloudmask.score import CIRRUS_BAND, SCORE_BANDS, Planes, cloud_score
from cloudfree.cloudmask.shadow import Bits, ShadowProjection
from cloudfree.core.mask_classes import Mask, MaskClass, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32

SUNLIT_BANDS = SCORE_BANDS

# The mask sees a cloud from 0.2 on.
MAX_SCORE = 0.15
# Greatest index of haze of clear ground. Source: the constant of Fmask (Zhu and Woodcock, Remote
# Sens. Environ. 118, 2012) for top-of-atmosphere reflectance.
MAX_HAZE = 0.08
# Ground seldom shows in the cirrus band: in clear scenes at most so much does.
MAX_CIRRUS = 0.004
# Haze and cirrus are smooth; the mean over so many pixels leaves bright roofs and noise out.
SMOOTH_PX = 7


@dataclass(frozen=True)
class CloudMargin:
    """How far clouds and their shadows may reach unseen: in pixels around, and along `cast`."""

    margin_px: int
    cast: ShadowProjection

    @property
    def halo_px(self) -> int:
        """How far around a window the mask must be known."""
        columns = sum(abs(col) for _, col in (self.cast.start, *self.cast.shifts))
        return max(self.cast.halo_px, columns) + self.margin_px


def far_from_clouds(mask: Mask, around: CloudMargin) -> Bits:
    """Clear pixels of a mask, (y, x), that no cloud of it can touch, by itself or by shadow."""
    touched = is_cloud_or_shadow(mask) | around.cast.of(mask == MaskClass.CLOUD)
    clear = mask == MaskClass.CLEAR
    return np.asarray(clear & ~_grown(touched, around.margin_px), dtype=np.bool_)


def hazeless(planes: Planes) -> Bits:
    """Where neither haze, cirrus nor thin cloud shows, (y, x), in reflectance by band name."""
    clean = (cloud_score(planes) < MAX_SCORE) & (_smooth(haze_index(planes)) < MAX_HAZE)
    if CIRRUS_BAND in planes:
        clean &= _smooth(planes[CIRRUS_BAND]) < MAX_CIRRUS
    return np.asarray(clean, dtype=np.bool_)


def _grown(bits: Bits, radius_px: int) -> Bits:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    return np.asarray(cv2.dilate(bits.astype(np.uint8), disc) > 0)


def _smooth(plane: Float32) -> Float32:
    """Mean around each pixel; next to a pixel without data there is none.

    Not `cv2.blur`: its running sum would never get rid of such a pixel.
    """
    share = np.full(SMOOTH_PX, 1 / SMOOTH_PX, dtype=np.float32)
    return np.asarray(cv2.sepFilter2D(plane, cv2.CV_32F, share, share), dtype=np.float32)
