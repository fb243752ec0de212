"""When, by which satellite and from which orbit a scene was acquired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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
