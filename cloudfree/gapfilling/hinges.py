"""Hinges: functions that are zero up to a plane in the space of the features and rise beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from cloudfree.core.radiometry import Float32

# Principal axes of the features in which planes lie, those of most variance.
AXES = 12
# Planes pass at this distance from the mean of the features, in standard deviations.
OFFSET_DEVIATION = 0.7
SMALLEST_VARIANCE = 1e-9
# Pixels that tell how the features are spread.
SAMPLE_PIXELS = 10_000
SEED = 0


@dataclass(frozen=True)
class Hinges:
    """max(0, x A + b) for planes in random directions, which are the same in each run.

    With them a linear regression bends: a field answers a change of season in another way than a
    wood. Huang, Zhu and Siew, Neurocomputing 70 (2006): weights of a hidden layer that are drawn,
    not learned, leave a problem in closed form. `axes` is (feature, axis), `planes` (axis, hinge)
    and `offsets` (hinge,).
    """

    axes: Float32
    planes: Float32
    offsets: Float32

    @classmethod
    def of(cls, features: Float32, number: int) -> Self:
        """So many hinges across the cloud of features, (pixel, feature); they vary as much."""
        sample = features[:: -(-len(features) // SAMPLE_PIXELS)].astype(np.float64)
        mean, covariance = sample.mean(axis=0), np.atleast_2d(np.cov(sample, rowvar=False))
        variances, axes = np.linalg.eigh(covariance)
        variances = np.maximum(variances[-AXES:], SMALLEST_VARIANCE)
        axes = axes[:, -AXES:] / np.sqrt(variances)
        rng = np.random.default_rng(SEED)
        # Axes of little variance are noise more than ground, and count less.
        planes = rng.normal(size=(len(variances), number)) * variances[:, None] ** 0.25
        planes /= np.linalg.norm(planes, axis=0)
        offsets = rng.normal(0.0, OFFSET_DEVIATION, number) - mean @ axes @ planes
        spread = np.maximum(sample @ axes @ planes + offsets, 0.0).std()
        scale = np.sqrt(np.trace(covariance) / len(covariance)) / max(spread, SMALLEST_VARIANCE)
        parts = (axes, scale * planes, scale * offsets)
        return cls(*(part.astype(np.float32) for part in parts))

    def __call__(self, features: Float32) -> Float32:
        """Their values for pixels, (pixel, feature) to (pixel, hinge)."""
        beyond = features @ self.axes @ self.planes
        beyond += self.offsets
        return np.maximum(beyond, np.float32(0), out=beyond)
