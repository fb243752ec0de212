"""Interpolation of an image at arbitrary positions, such as those of a displacement field."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.displacement import Displacement
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.core.radiometry import Float32
from cloudfree.raster.warp import positions

# Pixels resampled at once: their positions take some 20 times the memory of the image.
PIXELS_AT_ONCE = 2**18
# A pixel position outside of every image.
OUTSIDE_PX = -1e6

Positions = NDArray[np.float64]


def bilinear(image: Float32, rows: Positions, cols: Positions) -> Float32:
    """Values of (band, y, x) at positions counted in pixel centres: (band, *rows.shape).

    NaN outside the image and wherever a pixel that takes part is NaN. A position exactly on a pixel
    takes that pixel alone.
    """
    height, width = image.shape[1:]
    inside = (rows >= 0) & (rows <= height - 1) & (cols >= 0) & (cols <= width - 1)
    row, col = np.where(inside, rows, 0.0), np.where(inside, cols, 0.0)
    top, left = np.floor(row).astype(np.intp), np.floor(col).astype(np.intp)
    down, right = (row - top).astype(np.float32), (col - left).astype(np.float32)
    # A neighbour of weight 0 is replaced by the pixel itself, so that its NaN does not matter.
    below, right_pixel = top + (down > 0), left + (right > 0)
    upper = image[:, top, left] * (1 - right) + image[:, top, right_pixel] * right
    lower = image[:, below, left] * (1 - right) + image[:, below, right_pixel] * right
    values = upper * (1 - down) + lower * down
    return np.asarray(np.where(inside, values, np.nan), dtype=np.float32)


def sample_displaced(
    read: Callable[[Window], Float32],
    source: Grid,
    grid: Grid,
    window: Window,
    displacement: Displacement,
    scale: tuple[float, float],
) -> Float32:
    """An image on the pixels of a window of `grid`, (band, y, x); NaN where there is none.

    `read` reads a window of the image, which lies on `source`; `scale` is that of `warp.reduction`.
    """
    strip_rows = max(PIXELS_AT_ONCE // max(window.width, 1), 1)
    strip = [
        Window(window.row + part.row, window.col, part.height, part.width)
        for part in strips(window.height, window.width, strip_rows)
    ]
    parts = [_sampled(read, source, grid, part, displacement, scale) for part in strip]
    return np.concatenate(parts, axis=1)


def triangle_mean(
    image: Float32, rows: Positions, cols: Positions, scale: tuple[float, float]
) -> Float32:
    """Means of (band, y, x) around positions in pixel centres, weighted by a triangle.

    Bilinear where the scale is 1; at smaller scales the triangle is wider by the inverse. NaN where
    the nearest pixel is missing; other missing pixels have no weight.
    """
    col_scale, row_scale = scale
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    known = np.isfinite(padded).all(axis=0)
    values = np.where(known, padded, 0.0).reshape(len(image), -1)
    total, weight = np.zeros((len(image), *rows.shape)), np.zeros(rows.shape)
    for row, down in _taps(rows, row_scale):
        for col, right in _taps(cols, col_scale):
            pixel = _padded_index(row, col, known.shape)
            share = down * right * known.take(pixel)
            total += values.take(pixel, axis=1) * share
            weight += share
    row, col = (np.floor(_finite_or_outside(one) + 0.5) for one in (rows, cols))
    valid = known.take(_padded_index(row, col, known.shape)) & (weight > 0)
    return np.where(valid, total / np.where(valid, weight, 1.0), np.nan).astype(np.float32)


def _sampled(
    read: Callable[[Window], Float32],
    source: Grid,
    grid: Grid,
    window: Window,
    displacement: Displacement,
    scale: tuple[float, float],
) -> Float32:
    # As one column and one row: powers are computed of few numbers.
    rows, cols = np.ogrid[window.row : window.row_stop, window.col : window.col_stop]
    rows, cols = np.broadcast_arrays(*displacement.locate(rows.astype(float), cols.astype(float)))
    at = np.stack([cols.ravel(), rows.ravel()], axis=1) + 0.5
    col, row = (part.reshape(rows.shape) - 0.5 for part in positions(grid, source, at).T)
    needed = _around(row, col, source, scale)
    if needed is None:
        # Any pixel gives the number of bands.
        bands = len(read(Window(0, 0, 1, 1)))
        return np.full((bands, window.height, window.width), np.nan, np.float32)
    return triangle_mean(read(needed), row - needed.row, col - needed.col, scale)


def _padded_index(row: Positions, col: Positions, shape: tuple[int, int]) -> NDArray[np.intp]:
    """Flat indices into an image padded by one missing pixel, which stands for all beyond it."""
    height, width = shape
    inside = np.clip(row + 1, 0, height - 1) * width + np.clip(col + 1, 0, width - 1)
    return np.asarray(inside, dtype=np.intp)


def _taps(pixel_positions: Positions, scale: float) -> list[tuple[Positions, Positions]]:
    """Pixels around positions along one axis, and the weight of each."""
    first = np.floor(_finite_or_outside(pixel_positions))
    reach = math.ceil(1 / scale)
    return [
        (first + step, np.maximum(1 - np.abs(first + step - pixel_positions) * scale, 0))
        for step in range(1 - reach, reach + 1)
    ]


def _finite_or_outside(pixel_positions: Positions) -> Positions:
    """The positions, with those that are not finite outside of the image."""
    return np.where(np.isfinite(pixel_positions), pixel_positions, OUTSIDE_PX)


def _around(
    rows: Positions, cols: Positions, source: Grid, scale: tuple[float, float]
) -> Window | None:
    """The window of `source` with all pixels of nonzero weight, None if there is none."""
    finite = np.isfinite(rows) & np.isfinite(cols)
    if not finite.any():
        return None
    (top, bottom), (left, right) = (
        _span(pixel_positions[finite], size, part)
        for pixel_positions, size, part in (
            (rows, source.height, scale[1]),
            (cols, source.width, scale[0]),
        )
    )
    return Window(top, left, bottom - top, right - left) if bottom > top and right > left else None


def _span(pixel_positions: Positions, size: int, scale: float) -> tuple[int, int]:
    margin = math.ceil(1 / scale) + 1
    start = max(math.floor(float(pixel_positions.min())) - margin, 0)
    return start, min(math.ceil(float(pixel_positions.max())) + margin + 1, size)
