"""Earlier dates of a simulated scene: the same land at other stages, under other clouds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, cycle, islice

import numpy as np

from cloudfree.simulation.cloud_fields import Sun
from cloudfree.simulation.crop_calendar import CropCalendar, draw_calendar, land_before
from cloudfree.simulation.cropland import cropland_of
from cloudfree.simulation.land_cover import Landscape, Where
from cloudfree.simulation.scene import INSIDE, Generators, SimulatedScene, acquire

# The two satellites pass every five days; a date is the second or third pass by turns.
GAPS_DAYS = (10, 15)
MAX_DATES = 14

# Cloud covers of the dates are beta-distributed; the larger, the closer to the requested one.
_COVER_CONCENTRATION = 4.0
# Parts 0 to 3 of a seed draw the scene itself.
_CALENDAR_PART, _DATES_PART = 4, 5


def days_before(count: int) -> tuple[int, ...]:
    """Days between the scene and each of its earlier dates, the latest first."""
    return tuple(accumulate(islice(cycle(GAPS_DAYS), count)))


@dataclass(frozen=True)
class EarlierScene:
    """A scene of an earlier date, and the pixels, (y, x), of fields that have changed since."""

    scene: SimulatedScene
    changed: Where


@dataclass(frozen=True)
class SceneHistory:
    """What is the same on all dates of a scene.

    `cloud_cover` is the mean of the cloud covers of the dates, `misregistration` that of
    `simulate_scene`.
    """

    land: Landscape
    calendar: CropCalendar
    seed: int
    cloud_cover: float
    misregistration: tuple[float, float]

    def acquire(self, days: int, sun: Sun) -> EarlierScene:
        """The scene `days` earlier; each date is the same whatever others there are."""
        rng, *drawn = np.random.default_rng([self.seed, _DATES_PART, days]).spawn(4)
        land = land_before(self.land, self.calendar, days, rng.standard_normal())
        cover = draw_cover(self.cloud_cover, rng)
        scene = acquire(land, sun, cover, self.misregistration, Generators(*drawn))
        return EarlierScene(scene, self.calendar.changed(days)[*INSIDE])


def history_of(
    land: Landscape, seed: int, cloud_cover: float, misregistration: tuple[float, float]
) -> SceneHistory:
    """The history of the land that `simulate_scene` has drawn with these arguments."""
    rng = np.random.default_rng([seed, _CALENDAR_PART])
    calendar = draw_calendar(cropland_of(land), rng)
    return SceneHistory(land, calendar, seed, cloud_cover, misregistration)


def draw_cover(mean: float, rng: np.random.Generator) -> float:
    """A share of cloud around a `mean`; without cloud, or overcast, it is the mean itself."""
    if not 0.0 < mean < 1.0:
        return mean
    return float(rng.beta(_COVER_CONCENTRATION * mean, _COVER_CONCENTRATION * (1.0 - mean)))
