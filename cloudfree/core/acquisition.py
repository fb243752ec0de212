"""When and from where a scene was acquired, and how far apart in time two may be."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cloudfree.core.iso_time import in_utc
from cloudfree.errors import ErrorCode, InputError

logger = logging.getLogger("cloudfree")

# Dataset tag with the direction of the sun in degrees clockwise from north; the name is the
# element of MTD_TL.xml (S2 PSD-14.9, Mean_Sun_Angle).
SUN_AZIMUTH_TAG = "MEAN_SUN_AZIMUTH_ANGLE"


@dataclass(frozen=True)
class Acquisition:
    """Acquisition metadata of a product; None if unknown.

    `acquired` is timezone-aware UTC; `orbit_direction` is ascending or descending.
    """

    product: str | None = None
    platform: str | None = None
    acquired: datetime | None = None
    orbit_direction: str | None = None
    relative_orbit: int | None = None

    def gap(self, other: Acquisition) -> timedelta | None:
        """Time between two acquisitions, never negative; None if one of them is not dated."""
        if self.acquired is None or other.acquired is None:
            return None
        return abs(self.acquired - other.acquired)


UNKNOWN = Acquisition()


def stated(known: Acquisition, acquired: datetime | None, option: str) -> Acquisition:
    """The acquisition at the time that the user states with `option`; unchanged without one.

    A time in the metadata is replaced, which is logged.
    """
    if acquired is None:
        return known
    if known.acquired:
        logger.info("%s %s replaces %s in the metadata", option, _minute(acquired),
                    _minute(known.acquired))  # fmt: skip
    return replace(known, acquired=in_utc(acquired))


# In a week fields are seldom ploughed or reaped; in a month they often are.
LONG_GAP_DAYS = 7.0
MAX_GAP_DAYS = 30.0


def check_gap(radar: Acquisition, optical: Acquisition, max_days: float) -> None:
    """Log the acquisition of Sentinel-1; warn of a long gap, raise for a longer one.

    Raises
    ------
    InputError
        More than `max_days` lie between the two.
    """
    acquisition = _text(radar)
    days = gap_days(radar, optical)
    if days is None:
        undated = "Sentinel-1" if radar.acquired is None else "the optical scene"
        option = "--s1-date" if radar.acquired is None else "--s2-date"
        logger.info("%s, days from the optical scene unknown: no date of %s, which %s can state",
                    acquisition, undated, option)  # fmt: skip
        return
    if days > max_days:
        raise InputError(
            f"{days:.1f} days between Sentinel-1 ({_date(radar)}) and Sentinel-2 "
            f"({_date(optical)})",
            wanted=f"at most {max_days:g} days, in which the ground changes little",
            hint=f"take a nearer Sentinel-1 scene, or allow it with --max-gap {int(days) + 1}",
            code=ErrorCode.TIME_GAP,
        )
    logger.info("%s, %.1f days from the optical scene", acquisition, days)
    if days > LONG_GAP_DAYS:
        logger.warning(
            "%.1f days between Sentinel-1 and Sentinel-2: fields and water may have changed "
            "meanwhile, and filled pixels show them as on the date of Sentinel-1",
            days,
        )


def gap_days(radar: Acquisition, optical: Acquisition) -> float | None:
    """Days between Sentinel-1 and Sentinel-2, never negative; None if one is not dated."""
    gap = radar.gap(optical)
    return None if gap is None else gap / timedelta(days=1)


def _text(radar: Acquisition) -> str:
    """Platform, orbit and date as text, as far as they are known."""
    number = None if radar.relative_orbit is None else f"orbit {radar.relative_orbit}"
    parts = [radar.platform or "Sentinel-1", radar.orbit_direction, number]
    when = f"seen {_minute(radar.acquired)}" if radar.acquired else None
    return " ".join(part for part in (*parts, when) if part)


def _minute(moment: datetime) -> str:
    return f"{in_utc(moment):%Y-%m-%d %H:%M} UTC"


def _date(seen: Acquisition) -> str:
    assert seen.acquired is not None
    return f"{seen.acquired:%Y-%m-%d}"
