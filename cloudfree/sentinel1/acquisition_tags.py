"""When and from where Sentinel-1 looked, as tags of a raster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cloudfree.core.acquisition import Acquisition

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
