"""Putting restored pixels into the original, and leaving every other pixel alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32, Radiometry


def compose(
    native: NDArray[np.generic],
    prediction: Float32,
    opacity: Float32,
    radiometry: Radiometry,
    positions: Sequence[int],
) -> NDArray[np.bool_]:
    """Lay the prediction over the original numbers, in place, and tell which pixels it changed.

    Shapes: `native` (file band, y, x) in the file's own numbers, contiguous; `prediction`
    (band, y, x) in reflectance; `opacity` (y, x), 0 original to 1 restored. `positions[i]` is where
    band i of the prediction stands in the file. Pixels of opacity 0, without data or without a
    prediction stay bit-identical; so do bands that the prediction lacks.
    """
    filled = (opacity > 0) & radiometry.valid(native)
    for plane in prediction:
        filled &= np.isfinite(plane)
    # Gathering pixels takes longer than computing them: not where all of them change.
    places = slice(None) if filled.all() else np.flatnonzero(filled)
    weight = opacity.reshape(-1)[places]
    mixed = bool((weight < 1).any())
    for plane, position in zip(prediction, positions, strict=True):
        band = native[position].reshape(-1, copy=False)
        after = plane.reshape(-1)[places]
        if mixed:
            before = radiometry.reflectance(band[places])
            after = before + weight * (after - before)
        band[places] = radiometry.encode(after)
    return filled
