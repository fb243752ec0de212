"""What some sources saw, brought to today's light by what is clear today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.lattice import Position
from cloudfree.gapfilling.observation import (
    DB_UNIT,
    RADAR_KINDS,
    Observation,
    Places,
    Where,
    steady_radar,
)
from cloudfree.gapfilling.regression import Linear, Regression, Span, bent_ridge, ridge
from cloudfree.gapfilling.smoothing import distance, spread

# Pixels that a regression needs: for each of its features, and at all.
PIXELS_PER_FEATURE = 4
MIN_PIXELS = 30
# Deviation of today from another date as it was seen, where nothing clear shows it: the mean of
# two series of a place and a year (docs/experiments.md).
UNHARMONISED_DEVIATION = 0.04
SMALLEST_SCATTER, SMALLEST_RELATIVE_SCATTER = 1e-4, 0.05
# Pixels whose residual is so many times the median are cloud that a mask missed, or flood: they do
# not count. A field that is harvested reaches three to four times the median.
OUTLIER = 10.0
# Other dates tell of ground brighter or darker than all that is clear today, but not of any: beyond
# what it was fitted on, a regression on them is followed by this share of its span.
BEYOND_SPAN = 0.1


@dataclass(frozen=True)
class Target:
    """Today's reflectance of nodes, (band, y, x), and its weight 0 to 1, (y, x).

    Clear ground has weight 1, ground that was estimated before less, unknown ground 0.
    """

    values: Float32
    weight: Float32

    @classmethod
    def of_clear(cls, today: Float32, known: Where) -> Self:
        """The known nodes alone."""
        return cls(np.where(known, today, np.float32(0)), known.astype(np.float32))

    @property
    def most_reliable(self) -> Where:
        """The nodes that are known best."""
        return np.asarray((self.weight == self.weight.max()) & (self.weight > 0))


@dataclass(frozen=True)
class Harmonised:
    """What sources say of pixels, and what their errors go by.

    `mean` and `scatter` are (pixel, band), `distance` and `changed_db` (pixel,); NaN where no
    source says anything. `changed_db` is how far backscatter differs from that of the source: of
    another date on the same ground, or of all ground that is clear today.
    """

    mean: Float32
    scatter: Float32
    distance: Float32
    changed_db: Float32

    @classmethod
    def nothing(cls, pixels: int, bands: int) -> Self:
        """NaN for each pixel."""
        shapes = ((pixels, bands), (pixels, bands), (pixels,), (pixels,))
        return cls(*(np.full(shape, np.nan, np.float32) for shape in shapes))

    def put(self, places: Places, other: Harmonised) -> None:
        """Take over what another says of some of the pixels."""
        self.mean[places], self.scatter[places] = other.mean, other.scatter
        self.distance[places], self.changed_db[places] = other.distance, other.changed_db


@dataclass(frozen=True)
class Harmonisation:
    """A regression on sources, and what it leaves on known ground, spread over the gaps.

    `residual` is (band, y, x) of nodes. Its standard deviation is `level`, (band,), times
    `scatter`, (1, y, x), which tells calm parts of the scene from others; `distance`, (1, y, x), is
    in nodes from the nearest that it was fitted on. `span` is where the regression holds, None for
    a gain: beyond it, as for radar of a lake below the only cloud, it stays what it is at the end.
    """

    sources: tuple[int, ...]
    regression: Regression
    residual: Float32
    level: Float32
    scatter: Float32
    distance: Float32
    span: Span | None = None

    def at(self, observation: Observation, places: Places, position: Position) -> Harmonised:
        """What the sources say of pixels of a flat observation, whose positions are given."""
        features = observation.design(self.sources, places)
        mean = self.regression(self.span.within(features) if self.span else features)
        return Harmonised(
            mean + position.of(self.residual),
            position.of(self.scatter) * self.level,
            position.of(self.distance)[:, 0],
            self._changed_db(observation, features, places),
        )

    def _changed_db(self, observation: Observation, features: Float32, places: Places) -> Float32:
        if self.span and _is_radar(observation, self.sources):
            steady = steady_radar(features.shape[1] // RADAR_KINDS)
            beyond = self.span.beyond(features)[:, steady].max(axis=1)
            return np.asarray(beyond * DB_UNIT, np.float32)
        first = self.sources[0] if self.sources else len(observation.references)
        if first < len(observation.references):
            return observation.changed_db(first, places)
        return np.zeros(len(places), np.float32)


def harmonise(
    observation: Observation, sources: tuple[int, ...], target: Target
) -> Harmonisation | None:
    """Fit today's reflectance to sources; None on too little ground that they see.

    Ground that is not known best counts for the residual alone.
    """
    usable = observation.sees(sources) & (target.weight > 0)
    fitted = usable & target.most_reliable
    features = observation.design(sources, fitted)
    count, number = features.shape
    if count < max(MIN_PIXELS, PIXELS_PER_FEATURE * number):
        return None
    values = target.values[:, fitted].T
    radar = _is_radar(observation, sources)
    span = Span.of(features).widened(0.0 if radar else BEYOND_SPAN) if number else None
    if span and radar:
        features = span.within(features)
    # Radar alone tells no more by hinges (docs/experiments.md).
    regress = ridge if radar else bent_ridge
    regression = regress(features, values)
    usual = _usual(values - regression(features))
    if PIXELS_PER_FEATURE * number <= usual.sum() < count:
        regression = regress(features[usual], values[usual])
    return _with_residual(observation, sources, regression, target, usable, span)


def _is_radar(observation: Observation, sources: tuple[int, ...]) -> bool:
    """Whether today's radar is the only source."""
    return sources == (len(observation.references),)


def _usual(residual: Float32) -> NDArray[np.bool_]:
    """Pixels, of residuals (pixel, band), that are no outliers."""
    size = np.sqrt((residual**2).mean(axis=1))
    return np.asarray(size <= OUTLIER * np.median(size))


def harmonise_by_gain(
    observation: Observation, source: int, target: Target, shared: Sequence[int]
) -> Harmonisation | None:
    """A gain for each band of one reference, for little clear ground; None without its bands.

    `shared` gives the place of each of today's bands among those of the reference, -1 if it has
    none. Without any clear ground the reference is taken as it was seen.
    """
    if min(shared) < 0:
        return None
    usable = observation.sees((source,)) & (target.weight > 0)
    if int(usable.sum()) < MIN_PIXELS:
        return _as_seen(observation, source, target, shared)
    then = observation.references[source][list(shared)][:, usable].mean(axis=1)
    gain = target.values[:, usable].mean(axis=1) / np.maximum(then, 1e-4)
    linear = _gains(observation, source, shared, gain)
    return _with_residual(observation, (source,), linear, target, usable)


def _as_seen(
    observation: Observation, source: int, target: Target, shared: Sequence[int]
) -> Harmonisation:
    linear = _gains(observation, source, shared, np.ones(len(shared), np.float32))
    nothing = np.zeros_like(target.values)
    level = np.full(len(nothing), UNHARMONISED_DEVIATION, np.float32)
    everywhere = np.ones_like(nothing[:1])
    return Harmonisation((source,), linear, nothing, level, everywhere, nothing[:1])


def _gains(observation: Observation, source: int, shared: Sequence[int], gain: Float32) -> Linear:
    none = np.zeros(observation.shape, np.bool_)
    features = observation.design((source,), none).shape[1]
    weights = np.zeros((features, len(shared)), np.float32)
    weights[list(shared), np.arange(len(shared))] = gain
    return Linear(weights, np.zeros(len(shared), np.float32))


def _with_residual(
    observation: Observation,
    sources: tuple[int, ...],
    regression: Regression,
    target: Target,
    usable: Where,
    span: Span | None = None,
) -> Harmonisation:
    left, usable = np.zeros_like(target.values), usable.copy()
    features = observation.design(sources, usable)
    residual = target.values[:, usable].T - regression(span.within(features) if span else features)
    left[:, usable] = residual.T
    usable[usable] = _usual(residual)
    left[:, ~usable] = 0
    weight = np.where(usable, target.weight, np.float32(0))
    shown = spread(left, weight, np.zeros(len(left), np.float32))
    level = np.sqrt((left[:, usable] ** 2).mean(axis=1)) + np.float32(SMALLEST_SCATTER)
    relative = ((left / level[:, None, None]) ** 2).mean(axis=0, keepdims=True)
    scatter = np.sqrt(spread(relative, weight, np.ones(1, np.float32)))
    smallest = np.float32(SMALLEST_RELATIVE_SCATTER)
    scatter = np.maximum(scatter, smallest)
    return Harmonisation(sources, regression, shown, level, scatter, distance(usable)[None], span)
