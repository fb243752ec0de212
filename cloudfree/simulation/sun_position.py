"""Where the sun stands at a place and time."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from cloudfree.simulation.cloud_fields import Sun


def sun_position(latitude_deg: float, longitude_deg: float, when: datetime) -> Sun:
    """Position of the sun at a place, degrees north and east, and a timezone-aware time.

    Good to about half a degree, refraction left out. Source: Spencer, "Fourier series
    representation of the position of the sun" (Search 2, 1971).
    """
    when = when.astimezone(UTC)
    year = 2 * math.pi * (when.timetuple().tm_yday - 1) / 365
    minutes = 60 * when.hour + when.minute + 4 * longitude_deg + _equation_of_time_min(year)
    hour_angle = math.radians(minutes / 4 - 180)
    latitude, declination = math.radians(latitude_deg), _declination(year)
    east = -math.cos(declination) * math.sin(hour_angle)
    towards_pole, across = math.sin(declination), math.cos(declination) * math.cos(hour_angle)
    north = towards_pole * math.cos(latitude) - across * math.sin(latitude)
    up = towards_pole * math.sin(latitude) + across * math.cos(latitude)
    return Sun(
        azimuth_deg=math.degrees(math.atan2(east, north)) % 360,
        zenith_deg=math.degrees(math.atan2(math.hypot(east, north), up)),
    )


def _declination(year: float) -> float:
    """Latitude in radians where the sun stands overhead; `year` is 0 to 2 pi from New Year on."""
    return (
        0.006918
        + (-0.399912 * math.cos(year) + 0.070257 * math.sin(year))
        + (-0.006758 * math.cos(2 * year) + 0.000907 * math.sin(2 * year))
        + (-0.002697 * math.cos(3 * year) + 0.00148 * math.sin(3 * year))
    )


def _equation_of_time_min(year: float) -> float:
    """Minutes by which a sundial is ahead of a clock of mean solar time."""
    return 229.18 * (
        0.000075
        + (0.001868 * math.cos(year) - 0.032077 * math.sin(year))
        + (-0.014615 * math.cos(2 * year) - 0.040849 * math.sin(2 * year))
    )
