"""Several dates of a tile, as networks take them that see several at once.

Such a network (UnCRtainTS) was trained on cloudy dates as they were acquired: their clouds stay,
and only pixels without data are NaN. The order of the dates does not matter to it, their days do.

Source: Ebel et al., UnCRtainTS, CVPR Workshops 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.errors import InputError
from cloudfree.inference.missing_pixels import fill_missing
from cloudfree.inference.model_card import ModelCard

# The name of the input that has the days of the dates.
DATES = "dates"

# UnCRtainTS counts days from the launch of Sentinel-1A.
FIRST_DAY = date(2014, 4, 3)


@dataclass(frozen=True, eq=False)
class OtherDate:
    """Another date of a tile: reflectance and dB, (band, y, x), NaN where there is no data.

    The bands are those of the tile. `days` counts from the date of the tile, negative for earlier
    ones; where the days of both sensors are known it is their mean. `sar` is None if this date has
    no radar of its own.
    """

    optical: Float32
    days: float
    sar: Float32 | None = None

    def each(self, change: Callable[[Any], Any]) -> OtherDate:
        """The same date with both arrays changed in the same way."""
        sar = None if self.sar is None else change(self.sar)
        return OtherDate(change(self.optical), self.days, sar)


def day_number(acquired: date, radar_acquired: date | None = None) -> float:
    """Days since the launch of Sentinel-1A on 3 April 2014; with the day of radar, their mean."""
    sensors = [one for one in (acquired, radar_acquired) if one]
    days = [date(one.year, one.month, one.day) for one in sensors]  # of a datetime as well
    return sum((day - FIRST_DAY).days for day in days) / len(days)


def require_same_pixels(optical: Float32, other: OtherDate) -> None:
    """Check that another date has the bands and pixels of a tile, (band, y, x), and VV and VH.

    Raises
    ------
    InputError
        It has others.
    """
    radar = (2, *optical.shape[1:])
    for what, array, wanted in (
        ("reflectance", other.optical, optical.shape),
        ("backscatter", other.sar, radar),
    ):
        if array is not None and array.shape != wanted:
            raise InputError(
                f"{what} {array.shape} of the date {other.days:+g} days from the tile",
                wanted=f"(band, y, x) = {wanted}, as the tile has them",
                hint="bring the date onto the grid of the tile, with the bands of the model's card",
            )


def scaled_dates(dates: Sequence[OtherDate], day: float, card: ModelCard) -> dict[str, Float32]:
    """Inputs of a network for the dates of one tile: (t, band, y, x) by name, and the days (t,).

    `day` is the day number that the days count from. Missing pixels are filled as in a tile of one
    date. A date without any optical pixel becomes zeros, which stand for no date.
    """
    inputs = {
        "optical": card.optical_scaling.forward(
            np.stack([fill_missing(one.optical) for one in dates])
        )
    }
    if card.uses_sar:
        radars = [fill_missing(one.sar) for one in dates if one.sar is not None]
        inputs["sar"] = card.sar_scaling.forward(np.stack(radars))
    absent = [bool(np.isnan(one.optical).all()) for one in dates]
    for array in inputs.values():
        array[absent] = 0.0
    return {**inputs, DATES: np.array([day + one.days for one in dates], dtype=np.float32)}
