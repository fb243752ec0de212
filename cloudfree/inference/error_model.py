"""From the spread of predictions to the standard deviation of their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from cloudfree.core.radiometry import Float32

TERMS = ("floor", "share", "scale")


@dataclass(frozen=True)
class ErrorModel:
    """How large the errors of a model are, band by band of its output.

    Their variance is `floor`**2 + (`share` * reflectance)**2 + `scale`**2 * spread, where the
    spread is the variance that a network or an ensemble tells: errors that are always there, such
    as grow with the brightness of the ground, and such as the model has doubts about. `floor` is
    in reflectance, the others have no unit.
    """

    floor: tuple[float, ...]
    share: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, entries: Mapping[str, Any]) -> Self:
        """The error model with these entries, lists of one number for each band."""
        return cls(*(tuple(float(one) for one in entries[term]) for term in TERMS))

    @property
    def entries(self) -> dict[str, list[float]]:
        """Lists as a card has them."""
        return {term: list(numbers) for term, numbers in asdict(self).items()}

    def variance(self, image: Float32, spread: Float32) -> Float32:
        """Variance of the errors, (band, ...), by the image and the variance of its predictions."""
        squared = np.square(np.array([self.floor, self.share, self.scale], dtype=np.float32))
        floor, share, scale = squared.reshape(3, -1, *(1,) * (image.ndim - 1))
        return np.asarray(floor + share * image**2 + scale * spread, dtype=np.float32)


def uncalibrated(bands: int) -> ErrorModel:
    """The spread as it is: by far too small where an ensemble tells it."""
    return ErrorModel((0.0,) * bands, (0.0,) * bands, (1.0,) * bands)
