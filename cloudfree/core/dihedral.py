"""The dihedral group D4: the eight rotations and reflections of a square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class DihedralTransform:
    """Rotation by quarter turns, then optionally a flip of the columns."""

    quarters: int
    flipped: bool

    def apply(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """The transformed array, (..., y, x); odd quarters swap height and width."""
        rotated = np.rot90(array, self.quarters, axes=(-2, -1))
        return np.ascontiguousarray(rotated[..., ::-1] if self.flipped else rotated)

    def inverse(self, transformed: NDArray[Scalar]) -> NDArray[Scalar]:
        """The array from which `apply` makes `transformed`."""
        array = transformed[..., ::-1] if self.flipped else transformed
        return np.ascontiguousarray(np.rot90(array, -self.quarters, axes=(-2, -1)))


IDENTITY = DihedralTransform(0, flipped=False)
DIHEDRAL_TRANSFORMS = tuple(
    DihedralTransform(quarters, flipped) for flipped in (False, True) for quarters in range(4)
)
