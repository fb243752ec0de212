"""How far estimates lie from the truth, learned from clear ground that was hidden for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.harmonisation import Harmonised

# log(deviation) by log(scatter), log(1 + distance in nodes) and change of backscatter in dB, before
# anything is known of the scene; it counts as much as this many pixels of clear ground.
PRIOR = (0.0, 1.0, 0.05, 0.25)
PRIOR_PIXELS = 300.0
# So much backscatter differs by speckle alone, which says nothing of the ground.
SPECKLE_DB = 2.0
# The mean of log |e| lies so far below the log of the deviation of a Gaussian e.
MEAN_LOG_ERROR = -0.635
SMALLEST_ERROR = 1e-4
# Noise of a clear pixel, below which nothing is known: five digital numbers.
SMALLEST_DEVIATION = 5e-4
# Shares of a Gaussian within one and two standard deviations.
WITHIN_ONE, WITHIN_TWO = 0.683, 0.954


@dataclass(frozen=True)
class ExpectedError:
    """Standard deviation of an estimate, by the scatter around it and how far it reaches."""

    coefficients: tuple[float, ...] = PRIOR

    def deviation(self, harmonised: Harmonised) -> Float32:
        """Standard deviations, (pixel, band); NaN where no source sees."""
        level, scatter, far, change = self.coefficients
        by_pixel = level + far * np.log1p(harmonised.distance) + change * _change(harmonised)
        found = np.exp(scatter * np.log(harmonised.scatter) + by_pixel[:, None])
        return np.asarray(np.maximum(found, np.float32(SMALLEST_DEVIATION)), np.float32)

    def scaled(self, factor: float) -> ExpectedError:
        """Errors so many times as large."""
        level, *others = self.coefficients
        return ExpectedError((level + math.log(factor), *others))


@dataclass(frozen=True)
class Trial:
    """What sources say of ground that was hidden for it, and its reflectance, (pixel, band)."""

    harmonised: Harmonised
    truth: Float32

    @property
    def errors(self) -> Float32:
        """Errors, (pixel, band)."""
        return self.harmonised.mean - self.truth


def learn_error(trials: Sequence[Trial]) -> ExpectedError:
    """Least squares on the logarithm of the errors, drawn to the prior where there are few.

    The coefficients cannot be negative: near, calm and unchanged ground is never less certain.
    """
    prior = np.array(PRIOR)
    normal = np.diag([PRIOR_PIXELS] * len(PRIOR))
    moment = normal @ prior
    for trial in trials:
        x, y = _equations(trial)
        bands = trial.truth.shape[1]
        normal += x.T @ x / bands
        moment += x.T @ y / bands
    found = np.linalg.solve(normal, moment)
    found[1:] = np.maximum(found[1:], 0.0)
    found[0] = (moment[0] - normal[0, 1:] @ found[1:]) / normal[0, 0]
    return ExpectedError(tuple(float(one) for one in found))


def _equations(trial: Trial) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """What the logarithm of each error goes by, and that logarithm."""
    harmonised, shape = trial.harmonised, trial.errors.shape
    by_pixel = (np.log1p(harmonised.distance), _change(harmonised))
    columns = [np.ones(shape), np.log(harmonised.scatter)]
    columns += [np.broadcast_to(one[:, None], shape) for one in by_pixel]
    known = ~np.isnan(trial.errors).ravel()
    x = np.stack(columns, axis=-1).reshape(-1, len(PRIOR))[known]
    y = np.log(np.abs(trial.errors).ravel()[known] + SMALLEST_ERROR) - MEAN_LOG_ERROR
    return x, y


def _change(harmonised: Harmonised) -> Float32:
    """Change of backscatter beyond speckle, dB, (pixel,)."""
    beyond = harmonised.changed_db - np.float32(SPECKLE_DB)
    return np.asarray(np.maximum(beyond, np.float32(0)))


def calibration(errors: Float32, deviation: Float32) -> float:
    """The factor after which as many errors lie within one and two deviations as should.

    It is the geometric mean of both, as errors have longer tails than a Gaussian.
    """
    ratios: NDArray[np.floating] = np.abs(errors) / deviation
    ratios = ratios[np.isfinite(ratios)]
    if not ratios.size:
        return 1.0
    one, two = np.quantile(ratios, [WITHIN_ONE, WITHIN_TWO])
    return float(np.sqrt(max(one, 1e-3) * max(two / 2, 1e-3)))
