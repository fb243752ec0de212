"""The classes of a cloud mask, and of the mask of filled pixels."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

# Tags of a file of classes that hold their names are CLASS_0 and so on.
CLASS_TAG = "CLASS_"


class MaskClass(IntEnum):
    """What a pixel of a mask says about the pixel of the scene.

    THIN_CLOUD, THIN_CLOUD_DARK and FAINT_SHADOW are candidates between two steps of the
    classification: they are never written to a file, whose values are those of `FILE_CLASSES`.
    """

    CLEAR = 0
    CLOUD = 1
    SHADOW = 2
    SNOW = 3
    # Ground shows well through much of cirrus and haze, and the tests for them take some ground for
    # haze, so that both are cloud only beside clouds, which are not known at first.
    THIN_CLOUD = 4
    # A candidate that is dark: in shadow, or over woods.
    THIN_CLOUD_DARK = 5
    # May be shadow, and is where a cloud throws one.
    FAINT_SHADOW = 6
    NODATA = 255

    @property
    def label(self) -> str:
        """The class in words, as tags and legends have it."""
        return self.name.lower()


# Every class that a mask file may hold.
FILE_CLASSES = (
    MaskClass.CLEAR,
    MaskClass.CLOUD,
    MaskClass.SHADOW,
    MaskClass.SNOW,
    MaskClass.NODATA,
)

# Red, green, blue of the file classes.
MASK_COLOURS = {
    MaskClass.CLEAR: (34, 94, 60),
    MaskClass.CLOUD: (245, 245, 245),
    MaskClass.SHADOW: (52, 46, 74),
    MaskClass.SNOW: (120, 200, 240),
    MaskClass.NODATA: (0, 0, 0),
}

# Cloud hides the ground and shadow dims it; snow is the ground.
OBSCURED = (MaskClass.CLOUD, MaskClass.SHADOW)


def is_cloud_or_shadow(mask: Mask) -> NDArray[np.bool_]:
    """True where a cloud or its shadow hides the ground."""
    return np.isin(mask, OBSCURED)


def shows_ground(mask: Mask) -> NDArray[np.bool_]:
    """True where neither cloud nor shadow hides the ground, and there is data."""
    return np.isin(mask, (*OBSCURED, MaskClass.NODATA), invert=True)


def in_shadow(mask: Mask) -> NDArray[np.bool_]:
    """True where the shadow of a cloud dims the ground."""
    return np.equal(mask, MaskClass.SHADOW)


def class_fractions(counts: NDArray[np.integer]) -> dict[str, float]:
    """Share of each class among the valid pixels, and of nodata among all pixels.

    `counts` holds the number of pixels per mask value (256 entries).
    """
    valid = int(counts.sum() - counts[MaskClass.NODATA])
    fractions = {
        value.name.lower(): float(counts[value]) / valid if valid else 0.0
        for value in FILE_CLASSES
        if value is not MaskClass.NODATA
    }
    return {**fractions, "nodata": float(counts[MaskClass.NODATA]) / max(int(counts.sum()), 1)}


class FillClass(IntEnum):
    """Classes of the mask of filled pixels: by what most of a pixel was filled.

    FILLED is by the network, FILLED_BY_SCENE by clear ground and radar of the scene itself, and
    REFERENCE_1 and so on by another date, in the order of the tags of the result. UNFILLED is a
    valid pixel under cloud or shadow that keeps its value, as nothing is known of its ground.
    """

    ORIGINAL = 0
    FILLED = 1
    UNFILLED = 2
    FILLED_BY_SCENE = 3
    REFERENCE_1 = 11
    REFERENCE_2 = 12
    REFERENCE_3 = 13
    REFERENCE_4 = 14
    REFERENCE_5 = 15
    REFERENCE_6 = 16
    REFERENCE_7 = 17
    REFERENCE_8 = 18
    NODATA = 255

    @property
    def label(self) -> str:
        """The class in words, as tags and legends have it."""
        return _FILL_LABELS.get(self, self.name.lower().replace("_", " "))


_FILL_LABELS = {
    FillClass.UNFILLED: "cloud, not filled",
    FillClass.FILLED_BY_SCENE: "filled by the scene itself",
}

REFERENCE_CLASSES = tuple(one for one in FillClass if one.name.startswith("REFERENCE"))
FILLED_CLASSES = (FillClass.FILLED, FillClass.FILLED_BY_SCENE, *REFERENCE_CLASSES)


def is_filled(classes: Mask) -> NDArray[np.bool_]:
    """True where a mask of filled pixels has one that is filled, by whatever."""
    return np.isin(classes, FILLED_CLASSES)


def fill_shares(counts: NDArray[np.integer]) -> dict[FillClass, float]:
    """Share of each class among the filled pixels, of the classes that occur.

    `counts` holds the number of pixels per value of a mask of filled pixels (256 entries).
    """
    found = {one: int(counts[one]) for one in FILLED_CLASSES if counts[one]}
    filled = sum(found.values())
    return {one: pixels / filled for one, pixels in found.items()}


# References are in shades of blue and violet, which differ from one to the next.
FILL_COLOURS = {
    FillClass.ORIGINAL: (34, 94, 60),
    FillClass.FILLED: (232, 160, 48),
    FillClass.UNFILLED: (245, 245, 245),
    FillClass.FILLED_BY_SCENE: (170, 200, 60),
    FillClass.REFERENCE_1: (60, 130, 230),
    FillClass.REFERENCE_2: (150, 90, 210),
    FillClass.REFERENCE_3: (80, 200, 220),
    FillClass.REFERENCE_4: (210, 120, 190),
    FillClass.REFERENCE_5: (40, 80, 150),
    FillClass.REFERENCE_6: (110, 60, 130),
    FillClass.REFERENCE_7: (30, 140, 150),
    FillClass.REFERENCE_8: (150, 60, 100),
    FillClass.NODATA: (0, 0, 0),
}
