"""A grid of small windows, and how well two sensors agree in each around an expected shift.

Optical features are combined as they explain radar features in the whole scene; what is left to
compare in a window is then linear in either image. Such correlations have no bias towards noise
and add up over windows, which small windows need: few of them show a peak of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.units import Float32
from cloudfree.coregister.outliers import trust

Float64 = NDArray[np.float64]
Bits = NDArray[np.bool_]

WINDOW_PX = 32

# Farthest shift from the expected one that is compared, and that a match may lie at: beyond, there
# is no slope to take.
REACH_PX = 6
LIMIT_PX = 4.5

# Windows with less than this share of the mean structure have no match.
LEAST_STRUCTURE = 0.1

# How closely radar follows the optical image differs over a scene; it is told from the windows
# within this distance (standard deviation), and from none more than so many times.
CONSISTENCY_PX = 1.5 * WINDOW_PX
MAX_CONSISTENCY = 3.0


@dataclass(frozen=True)
class Windows:
    """Windows of a scene: their centres, and the agreement around the shift expected of each.

    `rows` and `cols`, (n,), are pixels of the optical grid; `agreement`, (n, 2 reach + 1, 2 reach
    + 1), is counted from `expected`, (n, 2), in whole rows and columns; `structure`, (n,), is how
    much there is to compare.
    """

    rows: Float64
    cols: Float64
    agreement: Float64
    expected: Float64
    structure: Float64

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Windows of several blocks of one scene."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def slope(self, shift: Float64) -> tuple[Float64, Float64]:
        """First and (negative) second differences of the agreement along rows and columns, (n, 2).

        `shift`, (n, 2), is where they are taken, one pixel to either side.
        """
        here = self.value(shift)
        ahead, behind = (
            np.stack([self.value(shift + step * axis) for axis in np.eye(2)], axis=1)
            for step in (1.0, -1.0)
        )
        return (ahead - behind) / 2, 2 * here[:, None] - ahead - behind

    def value(self, shift: Float64) -> Float64:
        """Agreement, (n,), at a shift of rows and columns for each window, (n, 2).

        Cubic convolution: Keys 1981, doi:10.1109/TASSP.1981.1163711.
        """
        place = np.clip(shift - self.expected, -LIMIT_PX, LIMIT_PX) + REACH_PX
        first = np.floor(place).astype(np.intp)
        part = place - first
        taps = first[:, :, None] + np.arange(-1, 3)
        taps = np.clip(taps, 0, 2 * REACH_PX)
        around = self.agreement[
            np.arange(len(place))[:, None, None], taps[:, 0, :, None], taps[:, 1, None, :]
        ]
        weights = _cubic(part[:, 0]), _cubic(part[:, 1])
        return np.asarray(np.einsum("nij,ni,nj->n", around, *weights), dtype=np.float64)


@dataclass(frozen=True)
class Matches:
    """Where the content of each window lies in Sentinel-1, and what an assumed shift leaves of it.

    `offsets` and `residuals`, (n, 2), are rows and columns in pixels; `weights`, (n,), are the
    inverse of their variance, 0 for outliers and where there is no match; `found`, (n,), tells
    where there is one.
    """

    rows: Float64
    cols: Float64
    offsets: Float64
    residuals: Float64
    weights: Float64
    found: Bits

    @property
    def used(self) -> Bits:
        """Which matches are no outliers."""
        return np.asarray(self.weights > 0)


class Matching:
    """Finds the match of every window from the slope of its agreement at an assumed shift."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        mean = float(windows.structure.mean())
        self._structure = windows.structure / (mean if mean > 0 else 1.0)
        self._found = self._structure > LEAST_STRUCTURE
        self._near = _nearness(windows)

    def at(self, shift: Float64) -> Matches | None:
        """The matches beside assumed shifts, (n, 2); None where the windows show no peak together.

        One window alone tells its slope but hardly its curvature: that is taken from all of them,
        and half from those around.
        """
        slope, curvature = self.windows.slope(shift)
        usual = curvature.mean(axis=0)
        if not self._found.any() or not (usual > 0).all():
            return None
        consistency = self._consistency((curvature / usual).mean(axis=1))
        structure = np.maximum(self._structure, LEAST_STRUCTURE)
        step = slope / usual
        belief = trust(np.hypot(*step.T) / np.sqrt(structure), self._found)
        residuals = step / (structure * consistency)[:, None]
        weights = structure * consistency**2 * belief
        return Matches(self.windows.rows, self.windows.cols, shift + residuals, residuals, weights,
                       self._found)  # fmt: skip

    def _consistency(self, curvature: Float64) -> Float64:
        """How closely radar follows the optical image around each window, 1 in the mean."""
        around = self._near @ curvature / np.maximum(self._near @ self._structure, 1e-3)
        return np.asarray((1 + np.clip(around, 0, MAX_CONSISTENCY)) / 2)


def _nearness(windows: Windows) -> Float32:
    """Gaussian weights of windows for one another, (n, n)."""
    rows, cols = (
        np.subtract.outer(places, places, dtype=np.float32)
        for places in (windows.rows.astype(np.float32), windows.cols.astype(np.float32))
    )
    return np.asarray(np.exp(-(rows**2 + cols**2) / (2 * CONSISTENCY_PX**2)), dtype=np.float32)


def windows_of(
    optical: Float32, sar: Float32, mixture: Float32, expected: tuple[int, int], first: Float64
) -> Windows:
    """The windows of a block from its features, (2, band, y, x) each.

    `mixture`, (optical band, sar band), combines optical features; `first` is the row and column of
    the block's first pixel in the scene. Pixels that do not fill a window are left.
    """
    height, width = (size // WINDOW_PX * WINDOW_PX for size in optical.shape[2:])
    seen = np.einsum("os,goyx->gsyx", mixture, optical)[..., :height, :width]
    steps = range(-REACH_PX, REACH_PX + 1)
    agreement = np.array(
        [[_sums(seen, _moved(sar, expected[0] + r, expected[1] + c)) for c in steps] for r in steps]
    )
    there = _moved(sar, *expected)[..., :height, :width]
    strength = [np.sqrt((image**2).sum(axis=(0, 1))) for image in (seen, there)]
    structure = _sums(strength[0][None, None], strength[1][None, None])
    rows, cols = (
        WINDOW_PX * (np.arange(size // WINDOW_PX) + 0.5) - 0.5 for size in (height, width)
    )
    row, col = (part.ravel() for part in np.meshgrid(rows, cols, indexing="ij"))
    side = 2 * REACH_PX + 1
    return Windows(
        rows=row + first[0],
        cols=col + first[1],
        agreement=np.moveaxis(agreement.reshape(side, side, -1), -1, 0),
        expected=np.tile(np.array(expected, dtype=np.float64), (len(row), 1)),
        structure=structure.ravel(),
    )


def _sums(one: Float32, other: Float32) -> Float64:
    """Products of two images of features, (2, band, y, x), summed over windows."""
    height, width = one.shape[2:]
    product = np.einsum("gsyx,gsyx->yx", one, other[..., :height, :width])
    parts = product.reshape(height // WINDOW_PX, WINDOW_PX, width // WINDOW_PX, WINDOW_PX)
    return np.asarray(parts.sum(axis=(1, 3)), dtype=np.float64)


def _moved(features: Float32, row: int, col: int) -> Float32:
    """Features with what lies at (r + row, c + col) at (r, c); 0 where that is outside."""
    height, width = features.shape[2:]
    moved = np.zeros_like(features)
    top, left = max(-row, 0), max(-col, 0)
    bottom, right = min(height - row, height), min(width - col, width)
    if bottom > top and right > left:
        moved[..., top:bottom, left:right] = features[
            ..., top + row : bottom + row, left + col : right + col
        ]
    return moved


def _cubic(part: Float64) -> Float64:
    """Weights, (n, 4), of the pixels around a place between the second and the third."""
    t = part[:, None]
    return np.concatenate(
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ],
        axis=1,
    )
