"""Reading an image between its pixels, along straight lines or a displacement that bends them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.displacement import Displacement
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.core.radiometry import Float32
from cloudfree.raster.warp import positions

Places = NDArray[np.float64]


def bilinear(image: Float32, rows: Places, cols: Places) -> Float32:
    """Values of (band, y, x) at places counted in pixel centres: (band, *rows.shape).

    NaN outside the image and wherever a pixel that takes part is NaN. A place exactly on a pixel
    takes that pixel alone.
    """
    height, width = image.shape[1:]
    inside = (rows >= 0) & (rows <= height - 1) & (cols >= 0) & (cols <= width - 1)
    row, col = np.where(inside, rows, 0.0), np.where(inside, cols, 0.0)
    top, left = np.floor(row).astype(np.intp), np.floor(col).astype(np.intp)
    down, right = (row - top).astype(np.float32), (col - left).astype(np.float32)
    # A neighbour of no weight is the pixel itself, so that its NaN, or the border, does not matter.
    below, output_beside = top + (down > 0), left + (right > 0)
    upper = image[:, top, left] * (1 - right) + image[:, top, output_beside] * right
    lower = image[:, below, left] * (1 - right) + image[:, below, output_beside] * right
    values = upper * (1 - down) + lower * down
    return np.asarray(np.where(inside, values, np.nan), dtype=np.float32)


# Pixels that are worked on at once: their places take some 20 times the room of the image.
PART_PX = 2**18
# Far outside of every image.
FAR_PX = -1e6


def sample_displaced(
    read: Callable[[Window], Float32],
    source: Grid,
    grid: Grid,
    window: Window,
    displacement: Displacement,
    scale: tuple[float, float],
) -> Float32:
    """An image on the pixels of a window of `grid`, (band, y, x); NaN where there is none.

    `read` gives a window of the image, which lies on `source`; `scale` is that of `warp.reduction`.
    """
    strip_rows = max(PART_PX // max(window.width, 1), 1)
    strip = [
        Window(window.row + part.row, window.col, part.height, part.width)
        for part in strips(window.height, window.width, strip_rows)
    ]
    parts = [_sampled(read, source, grid, part, displacement, scale) for part in strip]
    return np.concatenate(parts, axis=1)


def _sampled(
    read: Callable[[Window], Float32],
    source: Grid,
    grid: Grid,
    window: Window,
    displacement: Displacement,
    scale: tuple[float, float],
) -> Float32:
    # As one column and one row: the powers of a displacement are taken of few numbers.
    rows, cols = np.ogrid[window.row : window.row_stop, window.col : window.col_stop]
    rows, cols = np.broadcast_arrays(*displacement.locate(rows.astype(float), cols.astype(float)))
    at = np.stack([cols.ravel(), rows.ravel()], axis=1) + 0.5
    col, row = (part.reshape(rows.shape) - 0.5 for part in positions(grid, source, at).T)
    needed = _around(row, col, source, scale)
    if needed is None:
        # Any pixel tells how many bands there are.
        bands = len(read(Window(0, 0, 1, 1)))
        return np.full((bands, window.height, window.width), np.nan, np.float32)
    return mean_around(read(needed), row - needed.row, col - needed.col, scale)


def mean_around(image: Float32, rows: Places, cols: Places, scale: tuple[float, float]) -> Float32:
    """Means of (band, y, x) around places in pixel centres, weighted by a triangle.

    Bilinear where the scale is 1; smaller, the triangle is wider by as much. NaN where the pixel
    beneath is missing; others that are missing take no part.
    """
    col_scale, row_scale = scale
    rimmed = np.pad(image, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    known = np.isfinite(rimmed).all(axis=0)
    values = np.where(known, rimmed, 0.0).reshape(len(image), -1)
    total, weight = np.zeros((len(image), *rows.shape)), np.zeros(rows.shape)
    for row, down in _taps(rows, row_scale):
        for col, right in _taps(cols, col_scale):
            pixel = _in_rim(row, col, known.shape)
            share = down * right * known.take(pixel)
            total += values.take(pixel, axis=1) * share
            weight += share
    row, col = (np.floor(_nowhere_far(one) + 0.5) for one in (rows, cols))
    there = known.take(_in_rim(row, col, known.shape)) & (weight > 0)
    return np.where(there, total / np.where(there, weight, 1.0), np.nan).astype(np.float32)


def _in_rim(row: Places, col: Places, shape: tuple[int, int]) -> NDArray[np.intp]:
    """Flat places in an image with a rim of one missing pixel, which stands for all beyond it."""
    height, width = shape
    inside = np.clip(row + 1, 0, height - 1) * width + np.clip(col + 1, 0, width - 1)
    return np.asarray(inside, dtype=np.intp)


def _taps(places: Places, scale: float) -> list[tuple[Places, Places]]:
    """Pixels around places along one axis, and the weight of each."""
    first = np.floor(_nowhere_far(places))
    reach = math.ceil(1 / scale)
    return [
        (first + step, np.maximum(1 - np.abs(first + step - places) * scale, 0))
        for step in range(1 - reach, reach + 1)
    ]


def _nowhere_far(places: Places) -> Places:
    """The places; those that are nowhere far outside."""
    return np.where(np.isfinite(places), places, FAR_PX)


def _around(rows: Places, cols: Places, source: Grid, scale: tuple[float, float]) -> Window | None:
    """The part of `source` whose pixels take part, None where there is none."""
    finite = np.isfinite(rows) & np.isfinite(cols)
    if not finite.any():
        return None
    (top, bottom), (left, right) = (
        _span(places[finite], size, part)
        for places, size, part in ((rows, source.height, scale[1]), (cols, source.width, scale[0]))
    )
    return Window(top, left, bottom - top, right - left) if bottom > top and right > left else None


def _span(places: Places, size: int, scale: float) -> tuple[int, int]:
    margin = math.ceil(1 / scale) + 1
    start = max(math.floor(float(places.min())) - margin, 0)
    return start, min(math.ceil(float(places.max())) + margin + 1, size)
