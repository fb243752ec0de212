"""The class of every pixel of a training sample, where it is certain."""

from __future__ import annotations

from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.atmosphere import Atmosphere
from cloudfree.training.detector.ground import shows_snow

Labels = NDArray[np.uint8]

VISIBLE = [OPTICAL_BANDS.index(band) for band in ("B02", "B03", "B04")]
INFRARED = [OPTICAL_BANDS.index(band) for band in ("B08", "B11")]


class Label(IntEnum):
    """What the detector learns to tell apart, in the order of its outputs."""

    CLEAR = 0
    CLOUD = 1
    SHADOW = 2
    SNOW = 3
    THIN_CLOUD = 4
    UNKNOWN = 255


# Opacity from which cloud is thick, from which it is thin, and up to which it is none; the same
# for the optical depth of haze and the share of the sun's light that a shadow takes.
THICK, THIN, NO_CLOUD = 0.5, 0.09, 0.03
HAZY, NO_HAZE = 0.26, 0.08
SHADED, LIT = 0.2, 0.08
# Share of snow from which ground is snow; each pixel is one or the other, as snow below trees that
# neither label has would be taken for thin cloud.
SNOWY = 0.3
# How much brighter a cloudy image is than the clear one, in all visible bands.
BRIGHTER_THICK, BRIGHTER, AS_BRIGHT = 0.2, 0.05, 0.015
# Share of the infrared light that is left in a shadow, and beyond which there is none.
DARKER, AS_DARK = 0.6, 0.85
MEDIAN_PX = 5


def of_atmosphere(atmosphere: Atmosphere, snow: Float32 | None) -> Labels:
    """Labels, (y, x), of a simulated scene over ground with this share of `snow`."""
    opacity = 1.0 - (1.0 - atmosphere.low) * (1.0 - atmosphere.cirrus)
    labels = np.full(opacity.shape, Label.UNKNOWN, dtype=np.uint8)
    clear = (opacity < NO_CLOUD) & (atmosphere.haze < NO_HAZE)
    lit = clear & (atmosphere.dimming < LIT)
    labels[lit] = Label.CLEAR
    if snow is not None:
        labels[lit & (snow > SNOWY)] = Label.SNOW
    labels[clear & (atmosphere.dimming > SHADED)] = Label.SHADOW
    labels[(opacity >= THIN) | (atmosphere.haze >= HAZY)] = Label.THIN_CLOUD
    labels[opacity >= THICK] = Label.CLOUD
    return labels


def of_pair(cloudy: Float32, clear: Float32) -> Labels:
    """Labels, (y, x), of a real cloudy image by what it has beyond a clear one, (13, y, x)."""
    brighter = (cloudy[VISIBLE] - clear[VISIBLE]).min(axis=0)
    brighter = np.asarray(cv2.medianBlur(brighter, MEDIAN_PX), dtype=np.float32)
    darkness = (cloudy[INFRARED] / np.maximum(clear[INFRARED], 0.01)).max(axis=0)
    darkness = np.asarray(cv2.medianBlur(darkness, MEDIAN_PX), dtype=np.float32)
    labels = np.full(brighter.shape, Label.UNKNOWN, dtype=np.uint8)
    same = brighter < AS_BRIGHT
    labels[same & (darkness > AS_DARK)] = Label.CLEAR
    # Deep water is as dark in light.
    labels[same & (darkness < DARKER) & (clear[INFRARED[1]] > 0.05)] = Label.SHADOW
    labels[brighter >= BRIGHTER] = Label.THIN_CLOUD
    labels[brighter >= BRIGHTER_THICK] = Label.CLOUD
    # Snow that has fallen since is brighter too, and clouds of ice have its colours.
    labels[shows_snow(cloudy)] = Label.UNKNOWN
    return labels
