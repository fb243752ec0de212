"""Days between the acquisitions of Sentinel-1 and Sentinel-2: check and tags."""

from __future__ import annotations

import logging
from datetime import timedelta

from cloudfree.core.acquisition import Acquisition
from cloudfree.errors import InputError

logger = logging.getLogger("cloudfree")

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
        logger.info("%s, days from the optical scene unknown: no date of %s", acquisition, undated)
        return
    if days > max_days:
        raise InputError(
            f"{days:.1f} days between Sentinel-1 ({_date(radar)}) and Sentinel-2 "
            f"({_date(optical)})",
            wanted=f"at most {max_days:g} days, in which the ground changes little",
            hint=f"take a nearer Sentinel-1 scene, or allow it with --max-gap {int(days) + 1}",
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
    when = f"seen {radar.acquired:%Y-%m-%d %H:%M} UTC" if radar.acquired else None
    return " ".join(part for part in (*parts, when) if part)


def _date(seen: Acquisition) -> str:
    assert seen.acquired is not None
    return f"{seen.acquired:%Y-%m-%d}"
