"""Putting filled pixels into the original with a feathered edge; all others stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.pixel_distance import distance_to_outside
from cloudfree.core.radiometry import Float32, Radiometry

# Width of the feathered edge in pixels. The dilation of the mask covers it, so original and filled
# pixels mix in the thin edge of a cloud, not on the ground beside it.
FEATHER_PX = 4
# The same of what agrees with the ground at the edge anyway: more would only blend cloud into it.
NARROW_FEATHER_PX = 1


def feather(to_fill: NDArray[np.bool_], width_px: int) -> Float32:
    """Opacity of filled pixels, (y, x): 0 outside `to_fill`, 1 from `width_px` inside its edge.

    The ramp lies wholly inside, so pixels outside keep their value; borders of the array are no
    edges. A strip needs a halo of `width_px + 1` pixels to equal the whole scene.
    """
    position = np.clip(distance_to_outside(to_fill) / (width_px + 1), 0.0, 1.0)
    return np.asarray(position * position * (3.0 - 2.0 * position), dtype=np.float32)


def compose(
    native: NDArray[np.generic],
    prediction: Float32,
    opacity: Float32,
    radiometry: Radiometry,
    positions: Sequence[int],
) -> NDArray[np.bool_]:
    """Fill pixels with the prediction, in place, and return which were filled, (y, x).

    Shapes: `native` (file band, y, x) in the file's own numbers, contiguous; `prediction`
    (band, y, x) in reflectance; `opacity` (y, x), 0 original to 1 filled. `positions[i]` is the
    index in the file of band i of the prediction. Pixels of opacity 0, without data or without a
    prediction stay bit-identical; so do bands that the prediction lacks.
    """
    filled = (opacity > 0) & radiometry.valid(native)
    for plane in prediction:
        filled &= np.isfinite(plane)
    # Gathering pixels takes longer than computing them, so it is skipped if all are filled.
    indices = slice(None) if filled.all() else np.flatnonzero(filled)
    weight = opacity.reshape(-1)[indices]
    mixed = bool((weight < 1).any())
    for plane, position in zip(prediction, positions, strict=True):
        band = native[position].reshape(-1, copy=False)
        after = plane.reshape(-1)[indices]
        if mixed:
            before = radiometry.reflectance(band[indices])
            after = before + weight * (after - before)
        band[indices] = radiometry.encode(after)
    return filled
