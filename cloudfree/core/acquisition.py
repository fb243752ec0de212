"""When and from where a scene was seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Acquisition:
    """What a product tells of its acquisition; None where it does not.

    `sensed` is in UTC and aware of it; `orbit_direction` is ascending or descending.
    """

    product: str | None = None
    platform: str | None = None
    sensed: datetime | None = None
    orbit_direction: str | None = None
    relative_orbit: int | None = None

    def gap(self, other: Acquisition) -> timedelta | None:
        """Time between two acquisitions, never negative; None where one is not dated."""
        if self.sensed is None or other.sensed is None:
            return None
        return abs(self.sensed - other.sensed)


UNKNOWN = Acquisition()
