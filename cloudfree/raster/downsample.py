"""Halving the resolution of pixels, for overviews."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

Resampling = Literal["AVERAGE", "MODE", "NEAREST"]


def halve(
    pixels: NDArray[np.generic], nodata: float | None, resampling: Resampling
) -> NDArray[np.generic]:
    """One pixel of (band, y, x) for each 2 x 2, in the same numbers; an odd edge counts twice.

    AVERAGE is the mean of those that are not nodata, MODE the most frequent of them and of equals
    the first, NEAREST the upper left whatever it is. Nodata where there is nothing else.
    """
    edges = ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2))
    whole = np.pad(pixels, edges, mode="edge") if any(odd for _, odd in edges) else pixels
    if resampling == "AVERAGE" and _is_valid(whole, nodata).all():  # as most are
        return _mean_of_all(whole)
    corners = [whole[:, row::2, col::2] for row in (0, 1) for col in (0, 1)]
    if resampling == "NEAREST":
        return corners[0]
    return _mode(corners, nodata) if resampling == "MODE" else _mean(corners, nodata)


def _is_valid(pixels: NDArray[np.generic], nodata: float | None) -> NDArray[np.bool_]:
    if nodata is None:
        return np.ones(pixels.shape, bool)
    return ~np.isnan(pixels) if np.isnan(nodata) else pixels != nodata  # type: ignore[no-any-return]


def _mean_of_all(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The mean where nothing is missing, rows first as they lie: in less than half of the time."""
    rows = np.add(pixels[:, 0::2], pixels[:, 1::2], dtype=np.float32, casting="unsafe")
    total = np.add(rows[..., 0::2], rows[..., 1::2])
    return _rounded(np.multiply(total, np.float32(0.25), out=total), pixels.dtype)


def _mean(corners: list[NDArray[np.generic]], nodata: float | None) -> NDArray[np.generic]:
    dtype = corners[0].dtype
    valid = [_is_valid(corner, nodata) for corner in corners]
    total = np.zeros(corners[0].shape, np.float32)
    count = np.zeros(corners[0].shape, np.float32)
    for corner, counts in zip(corners, valid, strict=True):
        np.add(total, corner, out=total, where=counts, casting="unsafe")
        count += counts
    mean = _rounded(np.divide(total, count, out=total, where=count > 0), dtype)
    if nodata is not None:
        mean[count == 0] = nodata
    return mean


def _rounded(mean: Float32, dtype: np.dtype[Any]) -> NDArray[np.generic]:
    if np.issubdtype(dtype, np.integer):
        np.rint(mean, out=mean)
    return mean.astype(dtype)


def _mode(corners: list[NDArray[np.generic]], nodata: float | None) -> NDArray[np.generic]:
    """Whoever has a twin among the others wins; if nobody has, the first that is not nodata."""
    a, b, c, d = (np.ascontiguousarray(corner) for corner in corners)
    mode = a.copy()
    for other in (b, c, d):
        np.copyto(mode, other, where=~_is_valid(mode, nodata))
    for one, twin in ((c, c == d), (b, (b == c) | (b == d)), (a, (a == b) | (a == c) | (a == d))):
        np.copyto(mode, one, where=twin & _is_valid(one, nodata))
    return mode
