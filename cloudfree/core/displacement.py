"""Displacement of Sentinel-1 relative to the optical grid: a shift, an affine, or a field."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float64

# Points per side at which the length of a displacement is evaluated.
SAMPLES_PER_SIDE = 33


class Displacement(Protocol):
    """Where Sentinel-1 content lies relative to the optical grid, in optical pixels.

    `length` is the largest distance over the scene.
    """

    def locate(self, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Where Sentinel-1 shows what the optical scene shows at these rows and columns."""
        ...

    @property
    def length(self) -> float:
        """Distance in pixels."""
        ...


@dataclass(frozen=True)
class Shift:
    """Where Sentinel-1 content lies relative to the optical grid, in optical pixels.

    What the optical scene shows at (r, c), Sentinel-1 shows at (r + row, c + col). To correct it,
    Sentinel-1 is sampled at `grid.shifted(row, col)`.
    """

    row: float = 0.0
    col: float = 0.0

    def locate(self, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Where Sentinel-1 shows what the optical scene shows at these rows and columns."""
        return rows + self.row, cols + self.col

    @property
    def length(self) -> float:
        """Distance in pixels."""
        return math.hypot(self.row, self.col)


NO_SHIFT = Shift()


@dataclass(frozen=True)
class PolynomialDisplacement:
    """A displacement that changes over a scene of `height` x `width` pixels.

    `coefficients` holds rows and columns for each of the `monomials` of a position, which runs from
    -1 to 1 between the centres of the outermost pixels. A displacement of degree 1 is extrapolated;
    one of a higher degree stays constant beyond `bounds` (first row, first column, last row, last
    column, all from -1 to 1), where nothing was measured.
    """

    degree: int
    coefficients: tuple[tuple[float, float], ...]
    height: int
    width: int
    bounds: tuple[float, float, float, float] = field(default=(-1.0, -1.0, 1.0, 1.0))

    def locate(self, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Where Sentinel-1 shows what the optical scene shows at these rows and columns."""
        row, col = self.unit(rows, cols)
        if self.degree > 1:
            row = np.clip(row, self.bounds[0], self.bounds[2])
            col = np.clip(col, self.bounds[1], self.bounds[3])
        terms = monomials(row, col, self.degree)
        down, right = (
            sum(factor[axis] * term for factor, term in zip(self.coefficients, terms, strict=True))
            for axis in (0, 1)
        )
        return rows + down, cols + right

    def unit(self, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Rows and columns counted from -1 to 1 over the scene."""
        return _unit(rows, self.height), _unit(cols, self.width)

    @property
    def length(self) -> float:
        """Largest distance in pixels over the scene."""
        return float(np.hypot(*self._moved()).max())

    @property
    def middle(self) -> Shift:
        """Its mean over the scene."""
        down, right = self._moved()
        return Shift(float(down.mean()), float(right.mean()))

    @property
    def transform(self) -> Affine:
        """Of degree 1: from (column, row) of a pixel corner to where Sentinel-1 shows it."""
        (down, right), (down_row, right_row), (down_col, right_col) = self.coefficients
        row_scale, col_scale = 2 / max(self.height - 1, 1), 2 / max(self.width - 1, 1)
        linear = Affine(
            1 + right_col * col_scale, right_row * row_scale, right,
            down_col * col_scale, 1 + down_row * row_scale, down,
        )  # fmt: skip
        middle = Affine.translation(self.width / 2, self.height / 2)
        around: Affine = middle @ linear @ ~middle
        return around

    def _moved(self) -> tuple[Float64, Float64]:
        """Displacement, down and right, at evenly spaced points over the scene."""
        rows, cols = np.meshgrid(
            np.linspace(0, self.height - 1, SAMPLES_PER_SIDE),
            np.linspace(0, self.width - 1, SAMPLES_PER_SIDE),
            indexing="ij",
        )
        there = self.locate(rows, cols)
        return there[0] - rows, there[1] - cols


@dataclass(frozen=True)
class CoarserDisplacement:
    """A displacement in pixels each of which covers `rows` x `cols` pixels of `fine`."""

    fine: Displacement
    rows: float
    cols: float

    def locate(self, rows: Float64, cols: Float64) -> tuple[Float64, Float64]:
        """Where Sentinel-1 shows what the optical scene shows at these rows and columns."""
        # Corners of pixels coincide, their centres do not.
        row, col = self.fine.locate((rows + 0.5) * self.rows - 0.5, (cols + 0.5) * self.cols - 0.5)
        return (row + 0.5) / self.rows - 0.5, (col + 0.5) / self.cols - 0.5

    @property
    def length(self) -> float:
        """Largest distance in pixels over the scene, at most."""
        return self.fine.length / min(self.rows, self.cols)


def coarser(displacement: Displacement, rows: float, cols: float) -> Displacement:
    """The same displacement in pixels each of which covers `rows` x `cols` of the original."""
    if isinstance(displacement, Shift):
        return Shift(displacement.row / rows, displacement.col / cols)
    return displacement if rows == cols == 1 else CoarserDisplacement(displacement, rows, cols)


def mean_shift(displacement: Displacement) -> Shift:
    """Mean of a displacement over the scene."""
    if isinstance(displacement, PolynomialDisplacement):
        return displacement.middle
    assert isinstance(displacement, Shift)
    return displacement


def reach_px(displacement: Displacement) -> int:
    """Largest displacement along rows or columns, rounded up to whole pixels."""
    if isinstance(displacement, Shift):
        return math.ceil(max(abs(displacement.row), abs(displacement.col)))
    return math.ceil(displacement.length)


def kind(displacement: Displacement) -> str:
    """Its name in messages and JSON: translation, affine or field."""
    if not isinstance(displacement, PolynomialDisplacement):
        return "translation"
    return "affine" if displacement.degree == 1 else "field"


def describe_displacement(displacement: Displacement) -> str:
    """A displacement in words."""
    shift = mean_shift(displacement)
    text = f"{shift.row:+.2f} rows, {shift.col:+.2f} columns"
    if kind(displacement) == "translation":
        return text
    return f"{text} in the mean, {displacement.length:.2f} px at most ({kind(displacement)})"


def monomials(row: Float64, col: Float64, degree: int) -> list[Float64]:
    """Products of powers of two coordinates up to a degree: 1, row, col, row², row col, col²."""
    return [
        np.asarray(row ** (total - of_col) * col**of_col)
        for total in range(degree + 1)
        for of_col in range(total + 1)
    ]


def _unit(positions: Float64, size: int) -> NDArray[np.float64]:
    return np.asarray(2 * positions / max(size - 1, 1) - 1, dtype=np.float64)
