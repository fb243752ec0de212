"""The sun that decides the shadows of a mask: where it stood, who says so, what is told of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from cloudfree.cloudmask.pixel_axes import PixelAxes
from cloudfree.cloudmask.shadow_projection import SHADOW_REACH_M, ShadowProjection
from cloudfree.cloudmask.sun_geometry import SunFit
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG

logger = logging.getLogger("cloudfree")

# What a mask tells of the sun that decided its shadows.
SUN_TAG, SUN_ORIGIN_TAG = "MASK_SUN_AZIMUTH_DEG", "MASK_SUN_AZIMUTH_ORIGIN"
SHADOW_DISTANCE_TAG = "MASK_SHADOW_DISTANCE_M"


@dataclass(frozen=True)
class Sun:
    """Where the sun stood, clockwise from north, how that is known, and how far shadows fall.

    `shadow_distance_m` is the nearest and farthest distance of a shadow from its cloud, None where
    none stands out.
    """

    azimuth_deg: float | None
    origin: Literal["metadata", "fitted", "none"]
    shadow_distance_m: tuple[float, float] | None

    @property
    def distance(self) -> str | None:
        """The distance in words, for a note or a tag."""
        if self.shadow_distance_m is None:
            return None
        return "{:.0f} to {:.0f}".format(*self.shadow_distance_m)


NO_SUN = Sun(None, "none", None)


def decide_sun(known_azimuth_deg: float | None, fit: SunFit | None) -> Sun:
    """The sun of the metadata, or else the fitted one."""
    distance = fit.distance_m if fit else None
    if known_azimuth_deg is not None:
        return Sun(known_azimuth_deg, "metadata", distance)
    return Sun(fit.azimuth_deg, "fitted", distance) if fit else NO_SUN


def projection_of(sun: Sun, axes: PixelAxes) -> ShadowProjection:
    """Where clouds throw their shadows."""
    if sun.azimuth_deg is None:
        # No cloud throws a shadow; a cast of no length reaches the clouds alone.
        return ShadowProjection()
    distance = sun.shadow_distance_m or (0.0, SHADOW_REACH_M)
    return ShadowProjection.away_from_sun(sun.azimuth_deg, axes, distance)


def log_sun(sun: Sun, fit: SunFit | None) -> None:
    """Say where shadows are looked for, and warn where that is a guess."""
    if sun.origin == "none":
        logger.info("no cloud throws a shadow that shows: no pixel becomes shadow")
        return
    if fit and not fit.clear:
        logger.warning(
            "no direction of the sun fits clearly better than the others: shadows are looked for "
            "with the sun at %.0f degrees; if you know better, set the tag %s",
            sun.azimuth_deg,
            SUN_AZIMUTH_TAG,
        )
    else:
        logger.info("sun at %.0f degrees clockwise from north (%s)", sun.azimuth_deg, sun.origin)
    if sun.distance:
        logger.info("shadows lie %s m from their clouds", sun.distance)
    else:
        logger.info("no distance of the shadows stands out: up to %.0f m is cast", SHADOW_REACH_M)


def sun_tags(sun: Sun) -> dict[str, str]:
    """What the tags of a mask tell of the sun; what is not known is left out."""
    azimuth = None if sun.azimuth_deg is None else str(sun.azimuth_deg)
    told = {SUN_TAG: azimuth, SUN_ORIGIN_TAG: sun.origin, SHADOW_DISTANCE_TAG: sun.distance}
    return {name: text for name, text in told.items() if text is not None}
