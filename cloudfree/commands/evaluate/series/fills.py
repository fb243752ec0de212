"""Ways to fill a case, from the plainest to that of `remove`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cloudfree.commands.evaluate.series.alignment import aligned
from cloudfree.commands.evaluate.series.cases import Case, best_others
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.gap_filler import GapFiller
from cloudfree.gapfilling.observation import Where
from cloudfree.gapfilling.regression import ridge
from cloudfree.gapfilling.smoothing import spread

# Filled pixels, (band, y, x), of all of which those below clouds count; NaN where it has none.
Fill = Callable[[Case], Float32]
# Scenes of the regression on several clear ones.
SEVERAL = 3


def mean_colour(case: Case) -> Float32:
    """The mean of what is seen today."""
    mean = np.asarray(np.nanmean(case.today, axis=(1, 2), dtype=np.float64))
    return np.asarray(np.broadcast_to(mean[:, None, None], case.today.shape), np.float32)


def last_clear(case: Case) -> Float32:
    """The nearest clear scene as it is."""
    return case.clear_others[0].clear


def gain(case: Case) -> Float32:
    """The nearest clear scene by one gain for each band."""
    then, both = last_clear(case), _both(case, last_clear(case))
    factor = case.today[:, both].mean(axis=1) / then[:, both].mean(axis=1)
    return np.asarray(then * factor[:, None, None], np.float32)


def regression(case: Case) -> Float32:
    """The nearest clear scene by a ridge regression on all bands."""
    return _regressed(case, last_clear(case))[0]


def regression_of_several(case: Case) -> Float32:
    """The three nearest clear scenes by one regression, whose residual is smoothed over the gap."""
    several = np.concatenate([other.clear for other in case.clear_others[:SEVERAL]])
    filled, both = _regressed(case, several)
    left = np.where(both, case.today - filled, np.float32(0))
    return filled + spread(left, both.astype(np.float32), np.zeros(len(filled), np.float32))


def _both(case: Case, then: Float32) -> Where:
    return np.asarray(~np.isnan(case.today).any(axis=0) & ~np.isnan(then).any(axis=0))


def _regressed(case: Case, then: Float32) -> tuple[Float32, Where]:
    both = _both(case, then)
    found = ridge(then[:, both].T, case.today[:, both].T)
    shape = case.today.shape
    return found(then.reshape(len(then), -1).T).T.reshape(shape).astype(np.float32), both


OURS, GAIN = "cloudfree", "gain"
BASELINES: Mapping[str, Fill] = MappingProxyType({
    "mean colour": mean_colour,
    "last clear": last_clear,
    GAIN: gain,
    "regression": regression,
    "of several": regression_of_several,
})  # fmt: skip
FILLS = (*BASELINES, OURS)


@dataclass(frozen=True)
class FilledCase:
    """A case with the references that `remove` would take, and what each way fills it with.

    `images` are (band, y, x) by the names of `FILLS`, NaN where a way has nothing; `deviation` is
    the standard deviation of ours.
    """

    case: Case
    images: Mapping[str, Float32]
    deviation: Float32


def fill_case(case: Case, bands: tuple[str, ...]) -> FilledCase:
    """Fill a case in each way; its references lie where `remove` moves them."""
    used = aligned(best_others(case), bands)
    images = {name: fill(case) for name, fill in BASELINES.items()}
    images[OURS], deviation = _by_remove(used, bands)
    return FilledCase(used, images, deviation)


def _by_remove(case: Case, bands: tuple[str, ...]) -> tuple[Float32, Float32]:
    """What `remove` fills a case with and its standard deviation, (band, y, x) each."""
    stack = case.stack(bands)
    hidden = np.asarray(np.isnan(case.today).any(axis=0))
    window = Window(0, 0, *hidden.shape)
    found = GapFiller.fit(stack, silent).fill(window, hidden).estimate
    mean, deviation = case.today.copy(), np.zeros_like(case.today)
    mean[:, hidden], deviation[:, hidden] = found.mean.T, found.deviation.T
    return mean, deviation
