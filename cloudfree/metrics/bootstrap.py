"""Means of figures over patches, and how far chance can have moved them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.metrics.image_metrics import Metrics

METRICS = ("psnr", "ssim", "sam", "mae", "rmse")

# Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3: percentiles of
# means of samples drawn with replacement.
DRAWS = 1000
INTERVAL_PERCENT = (2.5, 97.5)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Between what limits 95 of 100 means of resampled data lie."""

    low: float
    high: float


@dataclass(frozen=True)
class Means:
    """Means over patches of the figures of each.

    `patches` is how many have pixels that count, `figures.pixels` how many pixels these are. A
    patch without a spectral angle is left out of the mean angle alone. `intervals` has an entry
    for each figure that was resampled.
    """

    patches: int
    figures: Metrics
    intervals: Mapping[str, Interval]


def mean_metrics(figures: Sequence[Metrics], units: Sequence[str] | None = None) -> Means:
    """The means of the figures of patches.

    `units` names for each patch what is drawn together when intervals are wanted: the patch
    itself, or its place. Patches of one place are alike, and places are what a new data set
    differs in. Fewer than two units have no interval.
    """
    means, intervals = {}, {}
    for metric in METRICS:
        there = [getattr(one, metric) is not None for one in figures]
        values = [getattr(one, metric) for one in figures]
        numbers = np.array([value for value in values if value is not None], dtype=np.float64)
        means[metric] = float(numbers.mean()) if len(numbers) else None
        if units is not None:
            drawn = [unit for unit, present in zip(units, there, strict=True) if present]
            if found := bootstrap(numbers, drawn):
                intervals[metric] = found
    pixels = sum(one.pixels for one in figures)
    counted = sum(one.pixels > 0 for one in figures)
    return Means(counted, Metrics(pixels, **means), intervals)


def bootstrap(values: Values, units: Sequence[str]) -> Interval | None:
    """The interval of the mean of `values` when whole units are drawn with replacement.

    The draws are the same at every call. None for fewer than two units, or infinite values.
    """
    names, index = np.unique(np.array(units, dtype=np.str_), return_inverse=True)
    if len(names) < 2 or not np.isfinite(values).all():
        return None
    sums, counts = np.bincount(index, values), np.bincount(index)
    shares = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(0).multinomial(len(names), shares, size=DRAWS)
    low, high = np.percentile((drawn @ sums) / (drawn @ counts), INTERVAL_PERCENT)
    return Interval(float(low), float(high))
