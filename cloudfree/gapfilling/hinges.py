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
SEED = 0


@dataclass(frozen=True)
class Hinges:
    """max(0, x A + b) for planes in random directions, which are the same in each run.

    With them a linear regression bends: a field answers a change of season in another way than a
    wood. Huang, Zhu and Siew, Neurocomputing 70 (2006): weights of a hidden layer that are drawn,
    not learned, leave a problem in closed form. `mean` is (feature,), `directions` (feature, axis),
    `planes` (axis, hinge), `offsets` (hinge,) and `scale` makes them vary as much as features do.
    """

    mean: Float32
    directions: Float32
    planes: Float32
    offsets: Float32
    scale: np.float32

    @classmethod
    def of(cls, features: Float32, number: int) -> Self:
        """So many hinges across the cloud of features, (pixel, feature)."""
        mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = features - mean
        covariance = centred.T @ centred / np.float32(len(features))
        variances, axes = np.linalg.eigh(covariance.astype(np.float64))
        variances = np.maximum(variances[-AXES:], SMALLEST_VARIANCE)
        rng = np.random.default_rng(SEED)
        # Axes of little variance are noise more than ground, and count less.
        planes = rng.normal(size=(len(variances), number)) * variances[:, None] ** 0.25
        planes /= np.linalg.norm(planes, axis=0)
        offsets = rng.normal(0.0, OFFSET_DEVIATION, number)
        drawn = cls(
            mean,
            (axes[:, -AXES:] / np.sqrt(variances)).astype(np.float32),
            planes.astype(np.float32),
            offsets.astype(np.float32),
            np.float32(1.0),
        )
        usual = np.sqrt(np.trace(covariance) / len(covariance))
        scale = usual / max(float(drawn(features).std()), SMALLEST_VARIANCE)
        return cls(drawn.mean, drawn.directions, drawn.planes, drawn.offsets, np.float32(scale))

    def __call__(self, features: Float32) -> Float32:
        """Their values for pixels, (pixel, feature) to (pixel, hinge)."""
        lit = ((features - self.mean) @ self.directions) @ self.planes + self.offsets
        return np.maximum(lit, np.float32(0), out=lit) * self.scale
