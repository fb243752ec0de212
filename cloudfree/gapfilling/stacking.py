"""A network's prediction beside what the scene shows of itself, and one made of both.

Stacked regression (Breiman, Machine Learning 24, 1996): how much of the difference between both is
added, band by band, is fitted on clear ground that was hidden from both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.combination import PixelEstimate
from cloudfree.gapfilling.expected_error import ExpectedError, Trial, calibration, learn_error
from cloudfree.gapfilling.harmonisation import Harmonised
from cloudfree.gapfilling.regression import Linear, ridge

# Pixels that a fit needs for each band.
PIXELS_PER_BAND = 30
# Backscatter so far beyond that of all clear ground is of ground that the scene shows nowhere else.
UNLIKE_DB = 1.5


@dataclass(frozen=True)
class NetworkTrial:
    """What the scene and a network say of ground that was hidden from both, and the truth.

    `predicted` and `truth` are (pixel, band).
    """

    scene: Harmonised
    predicted: Float32
    truth: Float32


@dataclass(frozen=True)
class PartErrors:
    """Root mean square errors, in reflectance, of the scene, the network, and both together."""

    scene: float
    network: float
    together: float


@dataclass(frozen=True)
class Stacking:
    """How much of the difference between a network and the scene is added to the scene.

    `trust` is the part of the network where the scene shows no ground with such backscatter, and
    `errors` are those on the trials.
    """

    added: Linear
    trust: float
    errors: PartErrors
    error: ExpectedError

    @property
    def weight(self) -> float:
        """The part of the network on ground like that of the trials, 0 to 1."""
        return float(np.clip(np.diag(self.added.weights).mean(), 0, 1))

    def share(self, scene: Harmonised) -> Float32:
        """The part of the network of pixels, (pixel,), 0 to 1."""
        unlike = self._unlike(scene)
        return unlike + (1 - unlike) * np.float32(self.weight)

    def stacked(self, scene: Harmonised, predicted: Float32) -> Harmonised:
        """Scene and network together; NaN where one of them says nothing."""
        unlike = self._unlike(scene)[:, None]
        both = scene.mean + self.added(predicted - scene.mean)
        return replace(scene, mean=(1 - unlike) * both + unlike * predicted)

    def _unlike(self, scene: Harmonised) -> Float32:
        beyond = np.square(scene.changed_db / np.float32(UNLIKE_DB))
        return np.asarray(np.float32(self.trust) * (1 - np.exp(-beyond)), np.float32)


@dataclass(frozen=True)
class StackedEstimate:
    """What scene and network together say of pixels, and where most of it is the network's."""

    estimate: PixelEstimate
    by_network: NDArray[np.bool_]

    @classmethod
    def of(cls, stacking: Stacking, scene: Harmonised, predicted: Float32) -> StackedEstimate:
        """Both together; the network says `predicted`, (pixel, band)."""
        both = stacking.stacked(scene, predicted)
        estimate = PixelEstimate(both.mean, stacking.error.deviation(both))
        return cls(estimate, estimate.known & (stacking.share(scene) > 0.5))

    def instead_of(self, other: PixelEstimate, scale: float) -> PixelEstimate:
        """It where it is known, else `other`; its deviations will be multiplied by `scale`."""
        known = self.estimate.known[:, None]
        return PixelEstimate(
            np.where(known, self.estimate.mean, other.mean),
            np.where(known, self.estimate.deviation / np.float32(scale), other.deviation),
        )


def fit_stacking(trials: Sequence[NetworkTrial]) -> Stacking | None:
    """The stacking of a network and a scene; None without enough ground of which both know.

    Ground unlike all that is clear is in no trial: there the network counts as its error on the
    trials lets expect, by squares of inverse variances.
    """
    if not trials:
        return None
    scene = np.concatenate([one.scene.mean for one in trials])
    predicted = np.concatenate([one.predicted for one in trials])
    truth = np.concatenate([one.truth for one in trials])
    known = ~np.isnan(scene + predicted + truth).any(axis=1)
    if known.sum() < PIXELS_PER_BAND * truth.shape[1]:
        return None
    scene, predicted, truth = scene[known], predicted[known], truth[known]
    added = ridge(predicted - scene, truth - scene)
    errors = PartErrors(
        _rmse(scene - truth),
        _rmse(predicted - truth),
        _rmse(scene + added(predicted - scene) - truth),
    )
    trust = errors.scene**4 / max(errors.scene**4 + errors.network**4, 1e-20)
    return _with_error(Stacking(added, trust, errors, ExpectedError()), trials)


def _with_error(stacking: Stacking, trials: Sequence[NetworkTrial]) -> Stacking:
    """What errors of both together go by, and as large as they are on the trials."""
    tried = [Trial(stacking.stacked(one.scene, one.predicted), one.truth) for one in trials]
    learned = learn_error(tried)
    errors = np.concatenate([one.errors.ravel() for one in tried])
    expected = np.concatenate([learned.deviation(one.harmonised).ravel() for one in tried])
    return replace(stacking, error=learned.scaled(calibration(errors, expected)))


def _rmse(errors: Float32) -> float:
    return float(np.sqrt(np.mean(errors * errors)))
