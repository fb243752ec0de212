"""Radar backscatter drawn for clear images without SAR, so that training has more places.

Backscatter is fitted to the colours of the ground on patches that have both: a quadratic form of
the smoothed bands. The residual is drawn anew each time, so that imagined backscatter carries no
more information on the ground than real backscatter does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

Numbers = NDArray[np.float64]

BLUE, GREEN, RED, RED_EDGE, NEAR_INFRARED, SHORT_WAVE, FAR_SHORT_WAVE = 1, 2, 3, 5, 7, 11, 12
SMOOTH_PX = 2.0  # of bands and backscatter: what is finer is speckle
RIDGE = 30.0
EVERY_PX = 7  # neighbours are correlated
RANGE = (0.01, 0.99)  # quantiles of real backscatter beyond which none is imagined
# The residual: a field of its own over some pixels, and an offset of the whole window.
FIELD_SHARE, OFFSET_SHARE = 0.8, 0.6


@dataclass(frozen=True)
class ImaginedRadar:
    """Backscatter, scaled to 0-1, partly explained by colours, the residual random.

    `weights` (term, polarisation) give the first, clipped to `low` and `high` of each
    polarisation; `unexplained` is a square root of the covariance of the residual of smoothed
    backscatter, `speckle` the deviation of what is finer.
    """

    weights: Numbers
    low: Numbers
    high: Numbers
    unexplained: Numbers
    speckle: Numbers

    def draw(self, rng: np.random.Generator, clear: Float32) -> Float32:
        """Backscatter (2, y, x), 0-1, for a `clear` image of 13 bands (band, y, x), 0-1."""
        shape = (2, *clear.shape[1:])
        field, speckle = rng.normal(size=shape).astype(np.float32), rng.normal(size=shape)
        field = blur(field, rng.uniform(2.0, 8.0))
        field /= field.std()
        chance = FIELD_SHARE * field.reshape(2, -1) + OFFSET_SHARE * rng.normal(size=(2, 1))
        explained = self.weights.T @ colour_terms(clear)
        explained = explained.clip(self.low[:, None], self.high[:, None])
        backscatter = (explained + self.unexplained @ chance).reshape(shape)
        backscatter += self.speckle[:, None, None] * speckle
        return backscatter.clip(0.0, 1.0).astype(np.float32)


def fit_radar(patches: list[tuple[Float32, Float32]]) -> ImaginedRadar:
    """Fit on pairs of a clear image (13, y, x) and SAR (2, y, x) of the same ground, all 0-1."""
    smoothed = [blur(sar, SMOOTH_PX) for _, sar in patches]
    speckle = [
        (sar - seen).std(axis=(1, 2)) for (_, sar), seen in zip(patches, smoothed, strict=True)
    ]
    x = np.concatenate([colour_terms(clear)[:, ::EVERY_PX] for clear, _ in patches], axis=1)
    y = np.concatenate([seen.reshape(2, -1)[:, ::EVERY_PX] for seen in smoothed], axis=1)
    y = y.astype(np.float64)
    penalty = RIDGE * np.eye(len(x))
    penalty[0, 0] = 0.0  # the constant is free
    weights = np.linalg.solve(x @ x.T + penalty, x @ y.T)
    unexplained = np.linalg.cholesky(np.cov(y - weights.T @ x))
    low, high = np.quantile(y, RANGE, axis=1)
    return ImaginedRadar(weights, low, high, unexplained, np.mean(speckle, axis=0))


def colour_terms(clear: Float32) -> Numbers:
    """Terms (term, pixel) of up to second degree of six smoothed bands and three indices."""
    seen = blur(clear, SMOOTH_PX).reshape(len(clear), -1)
    bands = [seen[b] for b in (BLUE, RED, RED_EDGE, NEAR_INFRARED, SHORT_WAVE, FAR_SHORT_WAVE)]
    indices = [
        (seen[one] - seen[other]) / np.maximum(seen[one] + seen[other], 0.02)
        for one, other in (
            (NEAR_INFRARED, RED),
            (GREEN, NEAR_INFRARED),
            (NEAR_INFRARED, SHORT_WAVE),
        )
    ]
    first = [*(np.sqrt(np.maximum(band, 0.0)) * 3 for band in bands), *indices]
    second = [one * other for one, other in combinations_with_replacement(first, 2)]
    return np.stack([np.ones_like(first[0]), *first, *second]).astype(np.float64)


def blur(image: Float32, sigma: float) -> Float32:
    """Smooth a (band, y, x) image, sigma in pixels."""
    smooth = [cv2.GaussianBlur(np.ascontiguousarray(band), (0, 0), sigma) for band in image]
    return np.stack(smooth).astype(np.float32)
