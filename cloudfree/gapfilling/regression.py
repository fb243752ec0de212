"""Ridge regression in closed form, on features and on hinges of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.hinges import Hinges

# Ridge as a share of the mean variance of the features, of many pixels; neighbours are alike, so
# that a few thousand pixels tell little and need ten times as much (docs/experiments.md).
RIDGE = 1e-3
FEW_PIXELS = 20_000
# Hinges at most, and pixels that each feature and hinge needs (docs/experiments.md).
HINGES, PIXELS_PER_HINGE = 128, 60

# Features are known from the least to the greatest of pixels, less so many at either end.
RARE = 0.003


@dataclass(frozen=True)
class Linear:
    """A linear function of features: `weights` (feature, band), `offset` (band,)."""

    weights: Float32
    offset: Float32

    def __call__(self, features: Float32) -> Float32:
        """Its values for pixels, (pixel, feature) to (pixel, band)."""
        return features @ self.weights + self.offset


@dataclass(frozen=True)
class Bent:
    """A linear function of features and of hinges of them, whose weights are (hinge, band)."""

    linear: Linear
    hinges: Hinges
    weights: Float32

    def __call__(self, features: Float32) -> Float32:
        """Its values for pixels, (pixel, feature) to (pixel, band)."""
        values = self.linear(features)
        values += self.hinges(features) @ self.weights
        return values


Regression = Linear | Bent


@dataclass(frozen=True)
class Span:
    """The values of features that are known, from `low` to `high`, (feature,)."""

    low: Float32
    high: Float32

    @classmethod
    def of(cls, features: Float32) -> Span:
        """That of pixels, (pixel, feature)."""
        low, high = np.quantile(features, (RARE, 1 - RARE), axis=0).astype(np.float32)
        return cls(low, high)

    def widened(self, share: float) -> Span:
        """The span with so large a share of its width added at either end."""
        more = np.float32(share) * (self.high - self.low)
        return Span(self.low - more, self.high + more)

    def within(self, features: Float32) -> Float32:
        """Features of pixels, (pixel, feature), those beyond at the end of what is known."""
        return np.asarray(np.clip(features, self.low, self.high), np.float32)

    def beyond(self, features: Float32) -> Float32:
        """How far features of pixels lie beyond what is known, (pixel, feature)."""
        return np.asarray(np.abs(features - self.within(features)), np.float32)


def ridge(features: Float32, values: Float32) -> Linear:
    """The ridge regression of values, (pixel, band), on features, (pixel, feature).

    Without features it is the mean. Hoerl and Kennard, Technometrics 12 (1970), on centred
    features; the mean is not shrunk.
    """
    count, number = features.shape
    if not number:
        return Linear(np.zeros((0, values.shape[1]), np.float32), values.mean(axis=0))
    centre, mean = features.mean(axis=0, dtype=np.float64), values.mean(axis=0, dtype=np.float64)
    # Sums of centred float32 are as precise as the ridge needs, in half the time.
    centred = features - centre.astype(np.float32)
    covariance = (centred.T @ centred).astype(np.float64) / count
    shrink = RIDGE * (1 + FEW_PIXELS / count) * np.trace(covariance) / number
    cross = (centred.T @ (values - mean.astype(np.float32))).astype(np.float64) / count
    weights = np.linalg.solve(covariance + max(shrink, 1e-12) * np.eye(number), cross)
    return Linear(weights.astype(np.float32), (mean - centre @ weights).astype(np.float32))


def bent_ridge(features: Float32, values: Float32) -> Regression:
    """The ridge regression on features and hinges of them, as many as there is ground for."""
    count, number = features.shape
    many = min(HINGES, count // PIXELS_PER_HINGE - number) if number else 0
    if many <= 0:
        return ridge(features, values)
    hinges = Hinges.of(features, many)
    both = ridge(np.concatenate([features, hinges(features)], axis=1), values)
    linear = Linear(both.weights[:number], both.offset)
    return Bent(linear, hinges, both.weights[number:])
