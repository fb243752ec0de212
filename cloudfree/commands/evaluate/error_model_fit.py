"""Finding how large the errors of a model are from predictions whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.commands.evaluate.calibration import Calibration, calibration
from cloudfree.core.radiometry import Float32
from cloudfree.inference.error_model import ErrorModel

# More steps move no coverage by 0.1 %, more pixels no number by 1 %.
STEPS = 200
FIT_PIXELS = 20_000
# A variance below this, (1e-5 reflectance)**2, is none: keeps its logarithm finite.
LEAST_VARIANCE = 1e-10

Squares = NDArray[np.float64]


@dataclass(frozen=True)
class Residuals:
    """Predictions, the variances they were told with, and their errors, all (band, pixel)."""

    image: Float32
    spread: Float32
    error: Float32

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The pixels of all parts."""
        names = ("image", "spread", "error")
        return cls(*(np.concatenate([getattr(p, name) for p in parts], axis=1) for name in names))

    def thinned(self, pixels: int) -> Self:
        """About so many of the pixels, evenly spread."""
        every = (slice(None), slice(None, None, max(self.error.shape[1] // pixels, 1)))
        return type(self)(self.image[every], self.spread[every], self.error[every])


def fit_error_model(found: Residuals) -> ErrorModel:
    """The error model under which normal errors like these are likeliest.

    Again and again each of its terms is multiplied by what cannot lower the likelihood, so none
    becomes negative.

    Source: Fevotte & Idier, "Algorithms for Nonnegative Matrix Factorization with the
    Beta-Divergence" (2011); this likelihood is the Itakura-Saito divergence of the squared errors.
    """
    few = found.thinned(FIT_PIXELS)
    bands = zip(few.image, few.spread, few.error, strict=True)
    floor, share, scale = np.sqrt(np.transpose([_fit_band(*band) for band in bands])).tolist()
    return ErrorModel(tuple(floor), tuple(share), tuple(scale))


def _fit_band(image: Float32, spread: Float32, error: Float32) -> Squares:
    """Squares of floor, share and scale of one band; 0 for a term that is nowhere."""
    terms = np.stack([np.ones_like(image), image**2, spread]).astype(np.float64)
    squared = np.maximum(error.astype(np.float64) ** 2, LEAST_VARIANCE)
    means = terms.mean(axis=1)
    factors = _divided(np.full(3, squared.mean() / 3), means)
    for _ in range(STEPS):
        variance = np.maximum(factors @ terms, LEAST_VARIANCE)
        factors *= np.sqrt(_divided(terms @ (squared / variance**2), terms @ (1 / variance)))
    return factors


def _divided(numbers: Squares, by: Squares) -> Squares:
    """Quotients, 0 where the divisor is 0."""
    return np.divide(numbers, by, out=np.zeros_like(by), where=by > 0)


def held_out(groups: Mapping[str, Residuals]) -> Iterator[tuple[ErrorModel, Residuals]]:
    """Each group with the error model of all others."""
    for name, own in groups.items():
        others = [one for other, one in groups.items() if other != name]
        yield fit_error_model(Residuals.joined(others)), own


def calibration_under(pairs: Sequence[tuple[ErrorModel, Residuals]]) -> Calibration | None:
    """How well error models tell the errors of the residuals they come with, taken together."""
    variances = [model.variance(found.image, found.spread).ravel() for model, found in pairs]
    errors = [found.error.ravel() for _, found in pairs]
    told = np.maximum(np.concatenate(variances), LEAST_VARIANCE)
    return calibration(told, np.concatenate(errors))
