"""A grid of small windows, how well two sensors agree in each, and which tie points are outliers.

Optical features are combined as they explain radar features in the whole scene; the
residual compared in a window is then linear in either image. Such correlations have no bias
towards noise and add up over windows, which small windows need: few of them show a peak of their
own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32, Float64
from cloudfree.coregistration.phase_correlation import (
    Complex64,
    as_complex,
    correlations,
    side_for,
    spectra,
)

# Residuals up to so many medians count fully, then less (Huber 1964, doi:10.1214/aoms/1177703732),
# and beyond the second bound not at all.
FULL = 2.0
OUTLIER = 4.0


def huber_weights(residuals: Float64, found: NDArray[np.bool_]) -> Float64:
    """Weight of each match, 0 for an outlier to 1, by the length of its residual, (n,).

    `found`, (n,), is where there is a match at all; others weigh nothing.
    """
    if not found.any():
        return np.zeros(len(residuals))
    usual = max(float(np.median(residuals[found])), 1e-9)
    weight = np.minimum(1.0, FULL * usual / np.maximum(residuals, 1e-9))
    return np.where((residuals <= OUTLIER * usual) & found, weight, 0.0)


Bits = NDArray[np.bool_]

WINDOW_PX = 32

# Farthest shift from the expected one that is compared, and that a match may lie at: beyond, there
# is no slope to take.
REACH_PX = 6
MAX_OFFSET_PX = 4.5

# Windows with less than this share of the mean structure have no match.
MIN_STRUCTURE = 0.1

# How closely radar follows the optical image differs over a scene; it is estimated from windows
# within this distance (standard deviation), and from none more than so many times.
CONSISTENCY_PX = 1.5 * WINDOW_PX
MAX_CONSISTENCY = 3.0


@dataclass(frozen=True)
class TiePointWindows:
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
        """Windows of several clear windows of one scene."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def slope(self, shift: Float64) -> tuple[Float64, Float64]:
        """First and (negative) second differences of the agreement along rows and columns, (n, 2).

        `shift`, (n, 2), is where they are taken, one pixel to either side.
        """
        steps = np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)], dtype=np.float64)
        here, *neighbours = self.value(shift + steps[:, None])
        ahead, behind = np.stack(neighbours[:2], axis=1), np.stack(neighbours[2:], axis=1)
        return (ahead - behind) / 2, 2 * here[:, None] - ahead - behind

    def value(self, shift: Float64) -> Float64:
        """Agreement, (..., n), at a shift of rows and columns for each window, (..., n, 2).

        Cubic convolution: Keys 1981, doi:10.1109/TASSP.1981.1163711.
        """
        place = np.clip(shift - self.expected, -MAX_OFFSET_PX, MAX_OFFSET_PX) + REACH_PX
        first = np.floor(place).astype(np.intp)
        weights = _cubic(place - first)
        taps = np.clip(first[..., None] + np.arange(-1, 3), 0, 2 * REACH_PX)
        which = np.arange(len(self.rows))[:, None, None]
        around = self.agreement[which, taps[..., 0, :, None], taps[..., 1, None, :]]
        along_rows = (around * weights[..., 0, :, None]).sum(axis=-2)
        return np.asarray((along_rows * weights[..., 1, :]).sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class TiePoints:
    """Where the content of each window lies in Sentinel-1, and what an assumed shift leaves of it.

    `offsets` and `residuals`, (n, 2), are rows and columns in pixels; `weights`, (n,), are the
    inverse of their variance, 0 for outliers and where there is no match; `found`, (n,), is
    true where there is one.
    """

    rows: Float64
    cols: Float64
    offsets: Float64
    residuals: Float64
    weights: Float64
    found: Bits

    @property
    def used(self) -> Bits:
        """Which tie points are no outliers."""
        return np.asarray(self.weights > 0)


class TiePointMatching:
    """Finds the match of every window from the slope of its agreement at an assumed shift."""

    def __init__(self, windows: TiePointWindows) -> None:
        self.windows = windows
        mean = float(windows.structure.mean())
        self._structure = windows.structure / (mean if mean > 0 else 1.0)
        self._found = self._structure > MIN_STRUCTURE
        self._near = _nearness(windows)

    def tie_points_at(self, shift: Float64) -> TiePoints | None:
        """The tie points near assumed shifts, (n, 2); None where the windows have no common peak.

        One window alone gives its slope but hardly its curvature: that is taken from all of them,
        and half from those around.
        """
        slope, curvature = self.windows.slope(shift)
        usual = curvature.mean(axis=0)
        if not self._found.any() or not (usual > 0).all():
            return None
        consistency = self._consistency((curvature / usual).mean(axis=1))
        structure = np.maximum(self._structure, MIN_STRUCTURE)
        step = slope / usual
        belief = huber_weights(np.hypot(*step.T) / np.sqrt(structure), self._found)
        residuals = step / (structure * consistency)[:, None]
        weights = structure * consistency**2 * belief
        rows, cols = self.windows.rows, self.windows.cols
        return TiePoints(rows, cols, shift + residuals, residuals, weights, self._found)

    def _consistency(self, curvature: Float64) -> Float64:
        """How closely radar follows the optical image around each window, 1 in the mean."""
        around = self._near @ curvature / np.maximum(self._near @ self._structure, 1e-3)
        return np.asarray((1 + np.clip(around, 0, MAX_CONSISTENCY)) / 2)


def _nearness(windows: TiePointWindows) -> Float32:
    """Gaussian weights of windows for one another, (n, n)."""
    rows, cols = (
        np.subtract.outer(places, places, dtype=np.float32)
        for places in (windows.rows.astype(np.float32), windows.cols.astype(np.float32))
    )
    return np.asarray(np.exp(-(rows**2 + cols**2) / (2 * CONSISTENCY_PX**2)), dtype=np.float32)


def tie_point_windows(
    optical: Float32, sar: Float32, mixture: Float32, expected: tuple[int, int], first: Float64
) -> TiePointWindows:
    """The windows of a clear window from its features, (2, band, y, x) each.

    `mixture`, (optical band, sar band), combines optical features; `first` is the row and column of
    the clear window's first pixel in the scene. Pixels that do not fill a window are left.
    """
    height, width = (size // WINDOW_PX * WINDOW_PX for size in optical.shape[2:])
    mixed = mixture.T @ optical.reshape(*optical.shape[:2], -1)
    seen = as_complex(mixed.reshape(2, -1, *optical.shape[2:]))[:, :height, :width]
    there = _around(as_complex(sar), expected, height, width)
    corners = [
        (row, col) for row in range(0, height, WINDOW_PX) for col in range(0, width, WINDOW_PX)
    ]
    strength = _strength(seen) * _strength(there[:, REACH_PX:-REACH_PX, REACH_PX:-REACH_PX])
    places = np.array(corners, dtype=np.float64).reshape(-1, 2)
    rows, cols = places.T + (WINDOW_PX - 1) / 2 + first[:, None]
    return TiePointWindows(
        rows=rows,
        cols=cols,
        agreement=_agreement(seen, there, corners),
        expected=np.tile(np.array(expected, dtype=np.float64), (len(rows), 1)),
        structure=_sums(strength),
    )


def _around(images: Complex64, shift: tuple[int, int], height: int, width: int) -> Complex64:
    """What lies at a shift, and `REACH_PX` around it; 0 outside of the images."""
    size = height + 2 * REACH_PX, width + 2 * REACH_PX
    around = np.zeros((len(images), *size), dtype=np.complex64)
    down, right = shift[0] - REACH_PX, shift[1] - REACH_PX
    bottom, far = max(down + size[0], 0), max(right + size[1], 0)
    part = images[:, max(down, 0) : bottom, max(right, 0) : far]
    top, left = max(-down, 0), max(-right, 0)
    around[:, top : top + part.shape[1], left : left + part.shape[2]] = part
    return around


def _strength(images: Complex64) -> Float32:
    return np.asarray(np.sqrt((images.real**2 + images.imag**2).sum(axis=0)))


def _agreement(seen: Complex64, there: Complex64, corners: list[tuple[int, int]]) -> Float64:
    """Products of windows with what lies around them, summed up for each shift within reach."""
    side = side_for(WINDOW_PX, REACH_PX)
    products = np.empty((len(corners), side, side), dtype=np.complex64)
    for product, (row, col) in zip(products, corners, strict=True):
        window = spectra(seen[:, row : row + WINDOW_PX, col : col + WINDOW_PX], side)
        ends = row + WINDOW_PX + 2 * REACH_PX, col + WINDOW_PX + 2 * REACH_PX
        around = spectra(there[:, row : ends[0], col : ends[1]], side)
        product[:] = (window.conj() * around).sum(axis=0)
    return np.asarray(correlations(products, REACH_PX), dtype=np.float64)


def _sums(image: Float32) -> Float64:
    """Sums over windows, (n,), of an image, (y, x)."""
    rows, cols = (size // WINDOW_PX for size in image.shape)
    parts = image.reshape(rows, WINDOW_PX, cols, WINDOW_PX)
    return np.asarray(parts.sum(axis=(1, 3), dtype=np.float64).ravel())


def _cubic(t: Float64) -> Float64:
    """Weights, (..., 4), of the pixels around a place between the second and the third."""
    return np.stack(
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ],
        axis=-1,
    )
