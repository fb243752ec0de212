"""Direction of the sun and distance of shadows: from the metadata, or fitted to clouds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.shadow import (
    SHADOW_REACH_M,
    Bits,
    Correlation,
    PixelAxes,
    ShadowProjection,
)
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.radiometry import Float64

logger = logging.getLogger("cloudfree")

AZIMUTH_STEP_DEG = 5

# A direction is clear when it fits so much better than every one farther than this from it.
CLEAR_RATIO = 1.25
APART_DEG = 45
MIN_CORRELATION = 0.07

# Among scattered clouds, with so little of the valid scene covered, shadows show. Where no
# direction is clear then, the clouds are bright ground that throws none.
SCATTERED_SHARE = 0.25

# Sentinel-2 passes at 10:30 local solar time, with the sun in the eastern half of the sky; beyond
# south it comes at high northern latitudes only. Another direction must fit twice as well and more.
MORNING_DEG = (0, 210)
AFTERNOON_WEIGHT = 0.45

# Shadows fall at the distances that fit nearly as well as the best one: clouds differ in height,
# but the clouds of one height fit displaced by a part of their width too.
DISTANCE_SHARE = 0.85
# Dark ground that follows the clouds less than this does so by chance.
MIN_DISTANCE_CORRELATION = 0.04


@dataclass(frozen=True)
class SunFit:
    """Azimuth of the sun in degrees clockwise from north, and how far shadows fall.

    `clear` where no other direction fits as well, or where it was known. `distance_m` is the
    nearest and farthest distance of a shadow from its cloud, None where no distance stands out.
    """

    azimuth_deg: float
    correlation: float
    clear: bool
    distance_m: tuple[float, float] | None


def fit_sun(
    cloud: Bits, dark: Bits, valid: Bits, axes: PixelAxes, azimuth_deg: float | None = None
) -> SunFit | None:
    """The sun for which dark ground lies where clouds throw shadows.

    The clouds, (y, x), are laid over the dark pixels displaced by up to 2 km in every direction;
    the direction of the greatest correlation wins, unless `azimuth_deg` is known, and the distances
    around the greatest along it. Only dark ground that is seen (valid, no cloud) counts, compared
    with its surroundings. Limits: it needs broken cloud and ground that is not darker than shadow
    itself; evenly spaced clouds, slopes and lakes can mislead it, as can clouds so high that their
    shadow falls farther away. None where no cloud throws a shadow: without any cloud or any dark
    pixel that is seen, or where scattered clouds fit no direction clearly.
    """
    seen = valid & ~cloud
    if not (cloud.any() and (dark & seen).any()):
        return None
    correlation = Correlation.from_masks(cloud, dark & seen, seen, axes)
    azimuths = np.arange(0, 360, AZIMUTH_STEP_DEG)
    fits = np.array([_best_at(correlation, float(azimuth)) for azimuth in azimuths])
    if azimuth_deg is not None:
        apart = _best_apart(azimuths, fits, azimuth_deg)
        return _fit_at(azimuth_deg, correlation, to_beat=apart, clear=True)
    fit = _choose(correlation, azimuths, fits)
    scattered = cloud.sum() < SCATTERED_SHARE * valid.sum()
    return None if scattered and not fit.clear else fit


def _choose(correlation: Correlation, azimuths: NDArray[np.int_], fits: Float64) -> SunFit:
    morning = (azimuths >= MORNING_DEG[0]) & (azimuths <= MORNING_DEG[1])
    best = int(np.where(morning, fits, AFTERNOON_WEIGHT * fits).argmax())
    azimuth = float(azimuths[best])
    apart = _best_apart(azimuths, fits, azimuth)
    clear = bool(fits[best] >= max(MIN_CORRELATION, CLEAR_RATIO * apart))
    return _fit_at(azimuth, correlation, to_beat=CLEAR_RATIO * apart, clear=clear)


def _best_at(correlation: Correlation, azimuth_deg: float) -> float:
    """Greatest correlation at any distance."""
    return float(correlation.away_from_sun(azimuth_deg)[1].max(initial=0.0))


def _best_apart(azimuths: NDArray[np.int_], fits: Float64, azimuth_deg: float) -> float:
    """The best fit of a quite different direction: what the landscape alone can do."""
    apart = np.abs((azimuths - azimuth_deg + 180) % 360 - 180) > APART_DEG
    return float(fits[apart].max())


def _fit_at(azimuth_deg: float, correlation: Correlation, to_beat: float, clear: bool) -> SunFit:
    """The fit at an azimuth; its distance stands out where the best fit is above `to_beat`."""
    distances, fits = correlation.away_from_sun(azimuth_deg)
    best = float(fits.max(initial=0.0))
    stands_out = best > max(MIN_DISTANCE_CORRELATION, to_beat)
    distance = _nearly_best(distances, fits) if stands_out else None
    return SunFit(azimuth_deg, best, clear, distance)


def _nearly_best(distances: Float64, fits: Float64) -> tuple[float, float] | None:
    """From the first to the last distance that fits nearly as well as the best.

    Two layers of cloud that show equally are both within. None where it may go on beyond the reach.
    """
    good = np.flatnonzero(fits >= DISTANCE_SHARE * fits.max())
    if good[-1] == len(fits) - 1:
        return None
    return float(distances[good[0]].round()), float(distances[good[-1]].round())


# Tags of a mask: the sun that decided its shadows.
SUN_TAG, SUN_ORIGIN_TAG = "MASK_SUN_AZIMUTH_DEG", "MASK_SUN_AZIMUTH_ORIGIN"
SHADOW_DISTANCE_TAG = "MASK_SHADOW_DISTANCE_M"

# How users state it.
_STATED = "stated by --sun-azimuth"

SunOrigin = Literal["stated", "metadata", "fitted", "none"]


@dataclass(frozen=True)
class Sun:
    """Azimuth of the sun, clockwise from north, its origin, and the distance of shadows.

    It is `stated` where the user gave it, as by `--sun-azimuth`.
    `shadow_distance_m` is the nearest and farthest distance of a shadow from its cloud, None if
    none stands out.
    """

    azimuth_deg: float | None
    origin: SunOrigin
    shadow_distance_m: tuple[float, float] | None

    @property
    def distance(self) -> str | None:
        """The distance as text, for the log and a tag."""
        if self.shadow_distance_m is None:
            return None
        return "{:.0f} to {:.0f}".format(*self.shadow_distance_m)


NO_SUN = Sun(None, "none", None)


def decide_sun(known_azimuth_deg: float | None, fit: SunFit | None, is_stated: bool = False) -> Sun:
    """The sun that the user stated or that of the metadata, or else the fitted one."""
    distance = fit.distance_m if fit else None
    if known_azimuth_deg is not None:
        return Sun(known_azimuth_deg, "stated" if is_stated else "metadata", distance)
    return Sun(fit.azimuth_deg, "fitted", distance) if fit else NO_SUN


def projection_of(sun: Sun, axes: PixelAxes) -> ShadowProjection:
    """The projection of clouds to their possible shadows."""
    if sun.azimuth_deg is None:
        # No cloud throws a shadow; a projection of no length reaches the clouds alone.
        return ShadowProjection()
    distance = sun.shadow_distance_m or (0.0, SHADOW_REACH_M)
    return ShadowProjection.away_from_sun(sun.azimuth_deg, axes, distance)


def log_sun(sun: Sun, fit: SunFit | None) -> None:
    """Log where shadows are searched, with a warning if that is a guess."""
    if sun.origin == "none":
        logger.info("no cloud throws a shadow that shows: no pixel becomes shadow")
        return
    if fit and not fit.clear:
        logger.warning(
            "no direction of the sun fits clearly better than the others: shadows are looked for "
            "with the sun at %.0f degrees; if the sun is known, give --sun-azimuth or set the tag "
            "%s",
            sun.azimuth_deg,
            SUN_AZIMUTH_TAG,
        )
    else:
        logger.info("sun at %.0f degrees clockwise from north (%s)", sun.azimuth_deg,
                    _STATED if sun.origin == "stated" else sun.origin)  # fmt: skip
    if sun.distance:
        logger.info("shadows lie %s m from their clouds", sun.distance)
    else:
        logger.info("no distance of the shadows stands out: up to %.0f m is cast", SHADOW_REACH_M)


def sun_tags(sun: Sun) -> dict[str, str]:
    """Tags of a mask for the sun; unknown values are left out. `sun_from_tags` reads them."""
    azimuth = None if sun.azimuth_deg is None else str(sun.azimuth_deg)
    tags = {SUN_TAG: azimuth, SUN_ORIGIN_TAG: sun.origin, SHADOW_DISTANCE_TAG: sun.distance}
    return {name: text for name, text in tags.items() if text is not None}


def sun_from_tags(tags: Mapping[str, str]) -> Sun | None:
    """The sun of a mask's tags; None if they have none. Text that is no number counts as missing.

    A mask that was edited by hand may give a distance without an azimuth, or the reverse.
    """
    origin = tags.get(SUN_ORIGIN_TAG)
    if origin == "none":
        return NO_SUN
    azimuth = _number(tags.get(SUN_TAG, ""))
    distances = [_number(text) for text in tags.get(SHADOW_DISTANCE_TAG, "").split(" to ")]
    nearest, farthest = distances[0], distances[-1]
    distance = None if farthest is None else (nearest or 0.0, farthest)
    if azimuth is None and distance is None:
        return None
    known: Mapping[str | None, SunOrigin] = {"stated": "stated", "fitted": "fitted"}
    return Sun(azimuth, known.get(origin, "metadata"), distance)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
