"""Resampling of clear ground: hidden pixels give nothing to their neighbours and take nothing."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, Float64
from cloudfree.raster.warp import positions

# Bilinear weight of clear pixels from which a mixture of them stands for the ground.
MIN_CLEAR_WEIGHT = 0.5
# Farthest pixel that the cubic kernel takes from the nearest one.
CUBIC_REACH_PX = 2
# Positions are exact on a lattice of so many pixels and linear between: over 160 m a map
# projection bends by less than a millimetre.
LATTICE_PX = 16

Bits = NDArray[np.bool_]
Positions = tuple[Float64, Float64]
# Columns and rows, as OpenCV takes them.
At = tuple[Float32, Float32]


def source_positions(grid: Grid, window: Window, source: Grid) -> Positions:
    """Rows and columns, in pixel centres of `source`, of the pixels of a window of `grid`.

    Not finite where a coordinate system does not reach.
    """
    rows, cols = _lattice(window.height), _lattice(window.width)
    down, right = np.meshgrid(window.row + rows, window.col + cols, indexing="ij")
    at = np.stack([right.ravel(), down.ravel()], axis=1) + 0.5
    col, row = (positions(grid, source, at) - 0.5).T.reshape(2, *down.shape)
    return _between(row, rows, cols, window), _between(col, rows, cols, window)


def sample_clear(image: Float32, rows: Float64, cols: Float64) -> Float32:
    """Values of (band, y, x) at positions in pixel centres, (band, *rows.shape); NaN is hidden.

    Cubic convolution well inside clear ground, and beside hidden pixels the bilinear mean of the
    clear ones. NaN where those weigh less than `MIN_CLEAR_WEIGHT`, where the nearest pixel is
    hidden, and outside of the image. A position on a pixel takes its value alone.
    """
    known: Bits = np.asarray(np.isfinite(image).all(axis=0), dtype=np.bool_)
    # OpenCV rounds positions to 1/32 of a pixel, and takes seconds where others take minutes.
    at = _finite(cols, known.shape[1]), _finite(rows, known.shape[0])
    weight = _remapped(np.asarray(known, np.float32), at, cv2.INTER_LINEAR)
    nearest = _remapped(np.asarray(known, np.uint8), at, cv2.INTER_NEAREST) > 0
    inside = _remapped(_inside(known), at, cv2.INTER_NEAREST) > 0
    valid = nearest & (weight >= MIN_CLEAR_WEIGHT)
    beside = valid & ~inside
    sampled = np.empty((len(image), *rows.shape), dtype=np.float32)
    for band, out in zip(image, sampled, strict=True):
        plane = band if known.all() else np.where(known, band, np.float32(0))
        out[:] = _remapped(plane, at, cv2.INTER_CUBIC)
        if beside.any():
            mean = _remapped(plane, at, cv2.INTER_LINEAR)
            out[beside] = mean[beside] / weight[beside]
        out[~valid] = np.nan
    return sampled


def window_around(rows: Float64, cols: Float64, source: Grid) -> Window | None:
    """The part of `source` that sampling at these positions reads, None if there is none."""
    finite = np.isfinite(rows) & np.isfinite(cols)
    if not finite.any():
        return None
    top, bottom = _span(rows[finite], source.height)
    left, right = _span(cols[finite], source.width)
    return Window(top, left, bottom - top, right - left) if bottom > top and right > left else None


def _span(places: Float64, size: int) -> tuple[int, int]:
    margin = CUBIC_REACH_PX + 1
    first, last = int(np.floor(places.min())) - margin, int(np.ceil(places.max())) + margin + 1
    return max(first, 0), min(last, size)


def _lattice(size: int) -> Float64:
    """Places from the first to the last pixel."""
    return np.linspace(0, size - 1, -(-(size - 1) // LATTICE_PX) + 1) if size > 1 else np.zeros(1)


def _between(values: Float64, rows: Float64, cols: Float64, window: Window) -> Float64:
    """Values on a lattice, (rows, cols), at all pixels of a window."""
    with np.errstate(invalid="ignore"):  # infinities stay so, or become NaN
        along = _interpolated(values, rows, window.height)
        return _interpolated(along.T, cols, window.width).T


def _interpolated(values: Float64, places: Float64, size: int) -> Float64:
    """Values, (place, ...), at every pixel from the first place to the last, (size, ...)."""
    if size == 1:
        return values
    step = np.arange(size) / (places[1] - places[0])
    first = np.clip(np.floor(step).astype(np.intp), 0, len(places) - 2)
    share = (step - first)[:, None]
    return np.asarray(values[first] * (1 - share) + values[first + 1] * share)


def _finite(places: Float64, size: int) -> Float32:
    """Positions that OpenCV can take: what is not near the image is a few pixels outside."""
    far = CUBIC_REACH_PX + 2
    near = np.clip(places, -far, size + far)
    return np.where(np.isfinite(places), near, -far).astype(np.float32)


def _inside(known: Bits) -> NDArray[np.uint8]:
    """1 where all pixels that a cubic kernel may take around a pixel are known."""
    side = 2 * CUBIC_REACH_PX + 1
    border = np.pad(known.astype(np.uint8), CUBIC_REACH_PX)
    eroded = cv2.erode(border, np.ones((side, side), np.uint8))
    inner = slice(CUBIC_REACH_PX, -CUBIC_REACH_PX)
    return np.ascontiguousarray(eroded[inner, inner], dtype=np.uint8)


def _remapped(plane: NDArray[Any], at: At, kernel: int) -> Float32:
    """A plane at columns and rows; 0 outside."""
    found = cv2.remap(plane, *at, kernel, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(found, dtype=np.float32)
