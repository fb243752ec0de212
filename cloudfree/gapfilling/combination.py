"""Estimates of reflectance, and one out of several by their expected errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32


@dataclass(frozen=True)
class PixelEstimate:
    """Reflectance of pixels and its standard deviation, (pixel, band); NaN where none is known."""

    mean: Float32
    deviation: Float32

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where there is an estimate, (pixel,)."""
        return np.asarray(~np.isnan(self.mean).any(axis=1))


def combine(estimates: Sequence[PixelEstimate]) -> tuple[PixelEstimate, Float32]:
    """The mean of estimates by their expected errors, and the share of each, (estimate, pixel).

    A share is the same in all bands, so that a spectrum stays one of real ground. The errors of
    estimates from the same ground are alike: the variances are averaged, not lowered, with what the
    estimates differ by (law of total variance), and weights are cubes of inverse variances, as by
    the inverse ones the worse estimate takes from the better (docs/experiments.md).
    """
    shares = _shares(estimates)
    parts = list(zip(shares[:, :, None], estimates, strict=True))
    mean = np.sum([_weighed(share, one.mean) for share, one in parts], axis=0)
    variance = np.sum(
        [_weighed(share, one.deviation**2 + (one.mean - mean) ** 2) for share, one in parts], axis=0
    )
    unknown = shares.sum(axis=0) == 0
    mean[unknown], variance[unknown] = np.nan, np.nan
    return PixelEstimate(mean, np.sqrt(variance)), shares


def _shares(estimates: Sequence[PixelEstimate]) -> Float32:
    weights = np.stack([
        np.where(one.known, (one.deviation.astype(np.float64) ** 2).mean(axis=1) ** -3, 0)
        for one in estimates
    ])  # fmt: skip
    return np.asarray(weights / np.maximum(weights.sum(axis=0), 1e-30), np.float32)


def _weighed(share: Float32, values: Float32) -> Float32:
    return np.where(share > 0, share * values, np.float32(0))
