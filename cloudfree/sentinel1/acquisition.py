"""When and from where Sentinel-1 looked, by the name of a product or the tags of a raster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from cloudfree.core.acquisition import Acquisition

# Naming of S-1 products (S1-RS-MDA-52-7441, section 3.4.1): mission, mode, type, class and
# polarisation, start, stop, absolute orbit, data take, checksum. Derived files keep its beginning.
_PRODUCT = re.compile(
    r"(?P<platform>S1[A-D])_(?:IW|EW|WV|S[1-6])_[A-Z]{3}[FHM_]_[0-9A-Z]{4}_(?P<start>\d{8}T\d{6})"
    r"(?:_\d{8}T\d{6}_(?P<orbit>\d{6})(?:_[0-9A-F]{6})?(?:_[0-9A-F]{4})?)?"
)
# Naming of geocoded scenes by pyroSAR: sensor, mode, A or D for the direction of the orbit, start.
_GEOCODED = re.compile(
    r"(?P<platform>S1[A-D])_+(?:IW|EW|WV|S[1-6])_+(?P<direction>[AD])_(?P<start>\d{8}T\d{6})"
)

# Relative orbit = (absolute orbit - this) % 175 + 1, as published for the two satellites whose
# place in the repeat cycle is fixed; later ones tell it in their manifest.
_ORBITS_PER_CYCLE = 175
_FIRST_ORBIT = {"S1A": 73, "S1B": 27}

_DIRECTIONS = {"A": "ascending", "D": "descending"}


def acquisition_of_name(text: str) -> Acquisition | None:
    """What the first Sentinel-1 product name in `text` tells; None where there is none."""
    if found := _PRODUCT.search(text):
        return Acquisition(
            product=found.group(0),
            platform=platform_name(found["platform"]),
            acquired=_utc(found["start"]),
            relative_orbit=_relative_orbit(found["platform"], found["orbit"]),
        )
    if found := _GEOCODED.search(text):
        return Acquisition(
            product=found.group(0),
            platform=platform_name(found["platform"]),
            acquired=_utc(found["start"]),
            orbit_direction=_DIRECTIONS[found["direction"]],
        )
    return None


def platform_name(mission: str) -> str:
    """`S1A` in full, `Sentinel-1A`."""
    return f"Sentinel-{mission[1:]}"


def _utc(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _relative_orbit(platform: str, absolute: str | None) -> int | None:
    first = _FIRST_ORBIT.get(platform)
    if absolute is None or first is None:
        return None
    return (int(absolute) - first) % _ORBITS_PER_CYCLE + 1


SENSED = "CLOUDFREE_S1_SENSED"
PLATFORM = "CLOUDFREE_S1_PLATFORM"
ORBIT = "CLOUDFREE_S1_ORBIT"

# The name of the S-1 metadata for the same, which other programs keep; it ends with Z.
_START = "PRODUCT_START_TIME"


def tags_of_acquisition(seen: Acquisition) -> dict[str, str]:
    """Tags that tell what is known, such as `descending 22` for the orbit."""
    number = None if seen.relative_orbit is None else str(seen.relative_orbit)
    told = {
        SENSED: seen.acquired.isoformat() if seen.acquired else None,
        PLATFORM: seen.platform,
        ORBIT: " ".join(filter(None, (seen.orbit_direction, number))),
    }
    return {name: text for name, text in told.items() if text}


def acquisition_of_tags(tags: Mapping[str, str]) -> Acquisition | None:
    """What such tags tell; None where there are none."""
    if not {SENSED, PLATFORM, ORBIT, _START} & set(tags):
        return None
    words = tags.get(ORBIT, "").split()
    numbers = [word for word in words if word.isdigit()]
    directions = [word for word in words if not word.isdigit()]
    return Acquisition(
        platform=tags.get(PLATFORM),
        acquired=_time(tags.get(SENSED, tags.get(_START))),
        orbit_direction=directions[0] if directions else None,
        relative_orbit=int(numbers[0]) if numbers else None,
    )


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    # A time without a zone cannot be compared with one that has a zone.
    return found if found and found.tzinfo else None
