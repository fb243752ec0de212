"""Rules from the cloud score to the classes of a mask, on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.morphology import near
from cloudfree.cloudmask.score import CIRRUS_BAND, SCORE_BANDS, Planes, ndsi
from cloudfree.cloudmask.shadow import SHADOW_BANDS, ShadowProjection
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32

# Every band that a class depends on; the cirrus band is optional.
REQUIRED_BANDS = tuple(sorted({*SCORE_BANDS, *SHADOW_BANDS}))

# Snow is bright, water with the same index is not: Hall, Riggs and Salomonson, "Development of
# methods for mapping global snow cover using MODIS" (Remote Sens. Environ. 54, 1995).
SNOW_MIN_NIR = 0.11
SNOW_MIN_GREEN = 0.10

# Reflectance of B10 from which on there is cirrus. Source: Sen2Cor's lower threshold of thin cirrus
# (S2-PDGS-MPC-ATBD-L2A, section on cirrus).
CIRRUS_MIN_B10 = 0.012


@dataclass(frozen=True)
class ClassRules:
    """Minimum score and maximum snow index (NDSI) of a cloud.

    `sensitive` adds small clouds over dark ground, and cirrus and haze near clouds.
    """

    threshold: float
    max_ndsi: float
    sensitive: bool = False


def bands_to_read(available: tuple[str, ...]) -> tuple[str, ...]:
    """The bands that the classes of a scene with `available` bands depend on."""
    return (*REQUIRED_BANDS, CIRRUS_BAND) if CIRRUS_BAND in available else REQUIRED_BANDS


def base_classes(planes: Planes, score: Float32, rules: ClassRules) -> Mask:
    """Mask, (y, x), from reflectance by band name and its score; without shadows.

    Nodata wins over snow, and snow over cloud (as a bright pixel with a high index is no cloud).
    Bright ground without any short-wave infrared is nodata too: the bands of a swath do not end at
    the same pixel, and where that one is missing everything bright would be snow.
    """
    snowy = ndsi(planes) > rules.max_ndsi
    bright = bright_ground(planes)
    classes = {
        **_cirrus_candidates(planes, snowy, rules),
        MaskClass.CLOUD: (score >= rules.threshold) & ~snowy,
        MaskClass.SNOW: snowy & bright,
        MaskClass.NODATA: np.isnan(score) | (bright & (planes["B11"] <= 0)),
    }
    mask = np.full(score.shape, MaskClass.CLEAR, dtype=np.uint8)
    for value, place in classes.items():
        np.copyto(mask, np.uint8(value), where=place)
    return mask


def bright_ground(planes: Planes) -> NDArray[np.bool_]:
    """Where ground is as bright as snow, (y, x), and water is not."""
    return np.asarray((planes["B08"] > SNOW_MIN_NIR) & (planes["B03"] > SNOW_MIN_GREEN))


def _cirrus_candidates(
    planes: Planes, snowy: NDArray[np.bool_], rules: ClassRules
) -> dict[MaskClass, NDArray[np.bool_]]:
    if not rules.sensitive or CIRRUS_BAND not in planes:
        return {}
    return {MaskClass.THIN_CLOUD: (planes[CIRRUS_BAND] > CIRRUS_MIN_B10) & ~snowy}


def resolve_thin_cloud(mask: Mask, reach_px: float) -> Mask:
    """The mask with thin clouds at most `reach_px` from a cloud as cloud, others as clear."""
    candidates = mask == MaskClass.THIN_CLOUD
    if not candidates.any():
        return mask
    resolved = mask.copy()
    resolved[candidates] = MaskClass.CLEAR
    resolved[candidates & near(mask, MaskClass.CLOUD, reach_px)] = MaskClass.CLOUD
    return resolved


def add_haze(mask: Mask, hazy: NDArray[np.bool_]) -> None:
    """Make clear pixels that are hazy candidates of thin cloud, in place."""
    np.copyto(mask, np.uint8(MaskClass.THIN_CLOUD), where=hazy & (mask == MaskClass.CLEAR))


def add_shadows(mask: Mask, dark: NDArray[np.bool_]) -> None:
    """Make every clear pixel that is dark a shadow, in place; `confirm_shadows` keeps some."""
    np.copyto(mask, np.uint8(MaskClass.SHADOW), where=dark & (mask == MaskClass.CLEAR))
    thin = mask == MaskClass.THIN_CLOUD
    np.copyto(mask, np.uint8(MaskClass.THIN_CLOUD_DARK), where=dark & thin)


def confirm_shadows(mask: Mask, projection: ShadowProjection) -> Mask:
    """The mask with only those shadows that lie where a cloud of the mask can throw one."""
    possible = projection.project(mask == MaskClass.CLOUD)
    confirmed = mask.copy()
    confirmed[(mask == MaskClass.SHADOW) & ~possible] = MaskClass.CLEAR
    thin = mask == MaskClass.THIN_CLOUD_DARK
    confirmed[thin] = np.where(
        possible[thin], np.uint8(MaskClass.SHADOW), np.uint8(MaskClass.THIN_CLOUD)
    )
    return confirmed
