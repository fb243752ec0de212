"""How well hidden ground is filled, by the clear image whose cloudy version was made.

The clear image of another date shows other ground. Where clouds were laid over a clear image, that
image itself is the truth. Pixels that clouds hide are scored apart from those in their shadows, and
beside both stands the mean colour of the pixels that are not hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.metrics.image_metrics import Where

MEAN_COLOUR, HIDDEN, SHADOW = "mean_colour", "own_date", "own_date_shadow"
KINDS = (MEAN_COLOUR, HIDDEN, SHADOW)
# With fewer pixels of a kind an image is not counted for that kind.
LEAST_PX = 300


class Closeness(NamedTuple):
    """PSNR in dB for a peak reflectance of 1, infinite for equal images, and MAE in reflectance."""

    psnr: float
    mae: float


def closeness(image: Float32, truth: Float32) -> Closeness:
    """How close reflectance of any shape, or one that broadcasts to it, comes to the truth."""
    error = image - truth
    with np.errstate(divide="ignore"):
        psnr = -10.0 * np.log10(np.mean(error**2))
    return Closeness(float(psnr), float(np.abs(error).mean()))


def score_cover(
    filled: Float32, cloudy: Float32, clear: Float32, hidden: Where, shadow: NDArray[np.uint8]
) -> dict[str, Closeness]:
    """Figures of a cover by kind of pixels; kinds with less than `LEAST_PX` pixels are left out.

    `filled`, `cloudy` and `clear` are reflectance, (band, y, x); `hidden` and `shadow`, (y, x), are
    true or above 0 where clouds hide and where they dim the ground. What is hidden is no shadow.
    """
    found = {}
    mean = cloudy[:, ~hidden].mean(axis=1, keepdims=True)
    if hidden.sum() >= LEAST_PX:
        found[MEAN_COLOUR] = closeness(mean, clear[:, hidden])
    for kind, where in ((HIDDEN, hidden), (SHADOW, (shadow > 0) & ~hidden)):
        if where.sum() >= LEAST_PX:
            found[kind] = closeness(filled[:, where], clear[:, where])
    return found


def mean_closeness(covers: Iterable[dict[str, Closeness]]) -> dict[str, tuple[int, Closeness]]:
    """How many covers have each kind of pixels, and the means of their figures."""
    rows: dict[str, list[Closeness]] = {kind: [] for kind in KINDS}
    for cover in covers:
        for kind, figures in cover.items():
            rows[kind].append(figures)
    return {kind: (len(values), _mean(values)) for kind, values in rows.items() if values}


def _mean(values: Sequence[Closeness]) -> Closeness:
    psnr, mae = np.mean(values, axis=0).tolist()
    return Closeness(psnr, mae)
