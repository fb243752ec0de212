"""What happens on the fields in the months before a scene: crops grow, some fields change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.cropland import Cropland
from cloudfree.simulation.land_cover import Landscape, Where, number
from cloudfree.simulation.land_use import roughness_db

# Days between two changes of a field, in the mean: some 15 % of the fields change in a month.
_MEAN_DAYS = 100.0
# A crop of full canopy was sown this many days ago at least, others in proportion.
_SOWN_DAYS = 110.0
# Below the first canopy a field is bare; up to the second one it may have been mown.
_BARE, _MOWN = 0.15, 0.55
# Canopy before harvest and mowing.
_TALL = (0.75, 0.95)
# Share of ploughed fields that bore stubble before; the others bore a crop.
_STUBBLE_SHARE = 0.5
# Days in which crops grow by a factor of e: from spring cereals to pastures.
_GROWTH_DAYS = (40.0, 400.0)
# What one standard deviation of moisture adds to bare soil: to its brightness, as a share, and dB.
_MOIST_BRIGHTNESS, _MOIST_DB = -0.07, 1.0


@dataclass(frozen=True)
class CropCalendar:
    """When and how each field changed before a scene; arrays (field,).

    `changed_days` is how many days before the scene a field changed, infinite if it did not, `sown`
    whether the change was its sowing, and `growth_days` in how many days its crop grows by a factor
    of e. Before the change it had the share `canopy` of canopy above soil or `stubble`, its
    brightness was `brightness` times that in the scene, and its backscatter `offset_db` more.
    """

    cropland: Cropland
    changed_days: Float32
    sown: Where
    growth_days: Float32
    canopy: Float32
    stubble: Where
    brightness: Float32
    offset_db: Float32

    def changed(self, days: float) -> Where:
        """Pixels, (y, x), whose field has changed since `days` before the scene."""
        return (self.changed_days < days)[self.cropland.field]

    def growth(self, days: float) -> Float32:
        """Canopy `days` before the scene as a share of that in the scene, (field,)."""
        grown = np.exp(-days / self.growth_days)
        since_sowing = np.clip(1.0 - days / self.changed_days, 0.0, 1.0)
        grown = np.where(self.sown, np.minimum(grown, since_sowing), grown)
        return np.where(self.cropland.is_field, grown, 1.0).astype(np.float32)


def draw_calendar(cropland: Cropland, rng: np.random.Generator) -> CropCalendar:
    """Draw at most one change of each field.

    Rules: stubble was harvested; other bare soil was ploughed, after stubble or a crop; a green
    field was sown if its change is long enough ago for that, else mown if it is not too tall.
    """
    count, canopy = cropland.canopy.size, cropland.canopy
    days = rng.exponential(_MEAN_DAYS, count)
    bare = canopy < _BARE
    sown = ~bare & (days > _SOWN_DAYS * canopy)
    changes = cropland.is_field & (bare | sown | (canopy < _MOWN))
    stubble = bare & ~cropland.stubble & (rng.random(count) < _STUBBLE_SHARE)
    before = np.where(sown | stubble, 0.0, rng.uniform(*_TALL, count))
    roughness = roughness_db(rng.random(count, dtype=np.float32))
    return CropCalendar(
        cropland=cropland,
        changed_days=np.where(changes, days, np.inf).astype(np.float32),
        sown=sown,
        growth_days=rng.uniform(*_GROWTH_DAYS, count).astype(np.float32),
        canopy=before.astype(np.float32),
        stubble=stubble,
        brightness=rng.uniform(0.85, 1.2, count).astype(np.float32),
        offset_db=roughness - cropland.backscatter_offset_db,
    )


def land_before(land: Landscape, calendar: CropCalendar, days: float, moisture: float) -> Landscape:
    """The landscape `days` before its scene.

    The bare soil of fields is moister than in the scene by `moisture` standard deviations: darker,
    and brighter to the radar. Ground that is no field stays the same.
    """
    changed, field = calendar.changed(days), calendar.cropland.field
    green = np.where(
        changed, _former_canopy(land, calendar), land.green * calendar.growth(days)[field]
    )
    # Soil below a canopy does not show.
    moist = moisture * np.where(calendar.cropland.is_field[field], 1.0 - green, 0.0)
    tint = np.where(changed, calendar.brightness[field], 1.0) * (1.0 + _MOIST_BRIGHTNESS * moist)
    offset_db = np.where(changed, calendar.offset_db[field], 0.0) + _MOIST_DB * moist
    return replace(
        land,
        material=np.where(changed & calendar.stubble[field], number("stubble"), land.material),
        green=green.astype(np.float32),
        brightness=(land.brightness * tint).astype(np.float32),
        backscatter_offset_db=(land.backscatter_offset_db + offset_db).astype(np.float32),
    )


def _former_canopy(land: Landscape, calendar: CropCalendar) -> Float32:
    """Canopy of each pixel, (y, x), before its field changed, with the rows of the scene."""
    field = calendar.cropland.field
    rows = land.brightness / calendar.cropland.brightness[field]
    return np.clip(calendar.canopy[field] * rows, 0.0, 1.0)
