"""Calibration of a model: its errors on filled pixels by its predicted variance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.commands.evaluate.patch import Clouds, FilledPatch
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch
from cloudfree.inference.model import Model
from cloudfree.inference.uncertainty import (
    ErrorModel,
    TestTimeAugmentation,
    calibration_of,
    uncalibrated,
)

# UnCRtainTS groups predictions by 5 % of the range of their variances.
BINS = 20

Values = NDArray[np.floating]


@dataclass(frozen=True)
class Calibration:
    """How well variances fit errors.

    `uce` and `auce` are reflectance, 0 at best. `within_1` and `within_2` are the fractions of the
    errors within one and two standard deviations: 0.683 and 0.954 for normal errors.
    """

    values: int
    uce: float
    auce: float
    within_1: float
    within_2: float


def calibration(variance: Values, error: Values) -> Calibration | None:
    """Calibration of predicted variances, by the errors of the predictions; both of one length.

    Predictions are sorted into 20 equally wide bins of the variance, from the least to the
    largest. The gap of a bin is that between root mean squared error and root mean variance: UCE
    is the mean gap over the predictions, AUCE that over the non-empty bins. None if there are no
    predictions.

    Source: UnCRtainTS, train_reconstruct.py (Ebel et al., CVPR Workshops 2023).
    """
    if not len(variance):
        return None
    variance, error = variance.astype(np.float64), error.astype(np.float64)
    # The upper limit of the last bin belongs to it; equal variances all lie in the first.
    edges = np.linspace(variance.min(), variance.max(), BINS + 1)[1:-1]
    place = np.digitize(variance, edges) if np.ptp(variance) else np.zeros(len(variance), int)
    counts = np.bincount(place, minlength=BINS)
    full = counts > 0
    squared = np.bincount(place, error**2, BINS)[full] / counts[full]
    predicted = np.bincount(place, variance, BINS)[full] / counts[full]
    gaps = np.abs(np.sqrt(squared) - np.sqrt(predicted))
    sigmas = np.abs(error) / np.sqrt(variance)
    return Calibration(
        values=len(variance),
        uce=float((gaps * counts[full]).sum() / len(variance)),
        auce=float(gaps.mean()),
        within_1=float((sigmas <= 1).mean()),
        within_2=float((sigmas <= 2).mean()),
    )


# More steps change no coverage by 0.1 %, more pixels no number by 1 %.
STEPS = 200
FIT_PIXELS = 20_000
# A variance below this, (1e-5 reflectance)**2, is none: keeps its logarithm finite.
LEAST_VARIANCE = 1e-10

Squares = NDArray[np.float64]


@dataclass(frozen=True)
class Residuals:
    """Predictions, their predicted variances, and their errors, all (band, pixel)."""

    image: Float32
    spread: Float32
    error: Float32

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The pixels of all parts."""
        names = ("image", "spread", "error")
        return cls(*(np.concatenate([getattr(p, name) for p in parts], axis=1) for name in names))

    def thinned(self, pixels: int) -> Self:
        """About that many of the pixels, evenly spaced."""
        every = (slice(None), slice(None, None, max(self.error.shape[1] // pixels, 1)))
        return type(self)(self.image[every], self.spread[every], self.error[every])


def fit_error_model(found: Residuals) -> ErrorModel:
    """The error model under which normal errors like these are likeliest.

    Multiplicative updates never lower the likelihood, and keep every term non-negative.

    Source: Fevotte & Idier, "Algorithms for Nonnegative Matrix Factorization with the
    Beta-Divergence" (2011); this likelihood is the Itakura-Saito divergence of the squared errors.
    """
    few = found.thinned(FIT_PIXELS)
    bands = zip(few.image, few.spread, few.error, strict=True)
    floor, share, scale = np.sqrt(np.transpose([_fit_band(*band) for band in bands])).tolist()
    return ErrorModel(tuple(floor), tuple(share), tuple(scale))


def _fit_band(image: Float32, spread: Float32, error: Float32) -> Squares:
    """Squares of floor, share and scale of one band; 0 for a term that is 0 everywhere."""
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
    """Calibration of error models on the residuals paired with them, pooled."""
    variances = [model.variance(found.image, found.spread).ravel() for model, found in pairs]
    errors = [found.error.ravel() for _, found in pairs]
    floored = np.maximum(np.concatenate(variances), LEAST_VARIANCE)
    return calibration(floored, np.concatenate(errors))


# Pixels kept of a patch, evenly spaced: errors of neighbours are alike, and thousands of patches
# must fit into memory.
PATCH_PIXELS = 512
# Maximum number of groups of places that are held out: each costs a fit.
GROUPS = 5

COVERAGE = "within_1 and within_2 are the shares of errors within one and two standard deviations \
at places that were not fitted to"


class Calibrator:
    """Collects residuals of one model by place, and fits its error model."""

    def __init__(self, model: Model) -> None:
        self.model, self.augmentation = model, TestTimeAugmentation(model)
        self._places: dict[str, list[Residuals]] = {}

    def add(self, place: str, patch: Patch, clouds: Clouds, filled: FilledPatch) -> None:
        """Keep some of the filled pixels of a patch."""
        found = residuals(self.model, patch, clouds, filled)
        if found.error.size:
            self._places.setdefault(place, []).append(found)

    @property
    def groups(self) -> dict[str, Residuals]:
        """The residuals, places in a few groups."""
        return grouped({place: Residuals.joined(own) for place, own in self._places.items()})

    def calibrations(self) -> Iterator[tuple[str, Calibration]]:
        """Calibration under each error model that is compared."""
        if self._places and self.augmentation.source:
            yield from calibrations(self.model, self.augmentation.source, self.groups)

    def card_entry(self) -> dict[str, Any] | None:
        """The entry `[uncertainty]` for the card; None if no pixel was filled."""
        if not self._places or self.augmentation.source is None:
            return None
        patches = sum(map(len, self._places.values()))
        protocol = f"filled pixels of {patches} patches at {len(self._places)} places; {COVERAGE}"
        return card_entry(self.augmentation.source, self.groups, protocol)


def residuals(model: Model, patch: Patch, clouds: Clouds, filled: FilledPatch) -> Residuals:
    """Predictions, variances and errors at some of the filled pixels of a patch."""
    prediction = filled.prediction
    assert prediction.variance is not None
    bands = model.card.output_bands
    image = patch.select(prediction.mean, bands)
    spread = patch.select(prediction.variance, bands)
    error = image - patch.select(patch.clear, bands)
    known = clouds.dilated & np.isfinite(error).all(axis=0) & np.isfinite(spread).all(axis=0)
    places = np.flatnonzero(known)
    chosen = places[:: max(len(places) // PATCH_PIXELS, 1)]

    def kept(array: Float32) -> Float32:
        return array.reshape(len(bands), -1)[:, chosen]

    return Residuals(kept(image), kept(spread), kept(error))


def grouped(places: Mapping[str, Residuals]) -> dict[str, Residuals]:
    """The places in a few groups of about the same number."""
    names = sorted(places)
    groups = {str(first): names[first::GROUPS] for first in range(min(GROUPS, len(names)))}
    return {group: Residuals.joined([places[n] for n in own]) for group, own in groups.items()}


def calibrations(
    model: Model, source: str, groups: Mapping[str, Residuals]
) -> Iterator[tuple[str, Calibration]]:
    """Calibration of the bare variance, by the card, and by a fit to other places."""
    bare = uncalibrated(len(model.card.output_bands))
    ways = {f"bare {source}": [(bare, one) for one in groups.values()]}
    own_source, own = calibration_of(model.card)
    if own and own_source == source:
        ways["by its card"] = [(own, one) for one in groups.values()]
    if len(groups) > 1:
        ways["fitted to other places"] = list(held_out(groups))
    for way, pairs in ways.items():
        if found := calibration_under(pairs):
            yield way, found


def card_entry(source: str, groups: Mapping[str, Residuals], protocol: str) -> dict[str, Any]:
    """The entry `[uncertainty]` of a card: fitted to all groups, coverage on each held out."""
    model = fit_error_model(Residuals.joined(list(groups.values())))
    numbers = {name: [float(f"{one:.3g}") for one in row] for name, row in model.entries.items()}
    entry: dict[str, Any] = {"source": source, **numbers, "protocol": protocol}
    if len(groups) > 1 and (found := calibration_under(list(held_out(groups)))):
        entry |= {"within_1": round(found.within_1, 3), "within_2": round(found.within_2, 3)}
    return entry
