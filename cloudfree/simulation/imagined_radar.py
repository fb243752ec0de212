"""Imagine the radar of places without any, so that there are more places to learn colours from.

How backscatter goes with the colours of the ground is fitted on the patches of a fold that have
both: a quadratic form of the smoothed bands. What it does not explain is drawn anew each time, so
that imagined backscatter tells no more of the ground than real backscatter does.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]  # (band, y, x)
Numbers = NDArray[np.float64]

BLUE, GREEN, RED, RED_EDGE, NEAR_INFRARED, SHORT_WAVE, FAR_SHORT_WAVE = 1, 2, 3, 5, 7, 11, 12
SMOOTH_PX = 2.0  # of bands and backscatter: what is finer is speckle
RIDGE = 30.0
EVERY_PX = 7  # neighbours tell the same
RANGE = (0.01, 0.99)  # quantiles of real backscatter beyond which none is imagined
# What is not explained: a field of its own over some pixels, and an offset of the whole window.
FIELD_SHARE, OFFSET_SHARE = 0.8, 0.6


@dataclass(frozen=True)
class ImaginedRadar:
    """Backscatter, scaled to 0-1, of which colours tell one part and chance the rest.

    ``weights`` (term, polarisation) give the first, clipped to ``low`` and ``high`` of each
    polarisation; ``unexplained`` is a square root of the covariance of what is left of smoothed
    backscatter, ``speckle`` the deviation of what is finer.
    """

    weights: Numbers
    low: Numbers
    high: Numbers
    unexplained: Numbers
    speckle: Numbers

    def draw(self, rng: np.random.Generator, clear: Image) -> Image:
        """Imagine the backscatter (2, y, x) of a clear image."""
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


def fit_radar(patches: list[tuple[Image, Image]]) -> ImaginedRadar:
    """Fit on clear images and the SAR, scaled to 0-1, of the same ground."""
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


def colour_terms(clear: Image) -> Numbers:
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


def blur(image: Image, sigma: float) -> Image:
    """Smooth a (band, y, x) image, sigma in pixels."""
    smooth = [cv2.GaussianBlur(np.ascontiguousarray(band), (0, 0), sigma) for band in image]
    return np.stack(smooth).astype(np.float32)
