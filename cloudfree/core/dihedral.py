"""The eight ways to lay a square on itself: flips and quarter turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class DihedralTransform:
    """So many quarter turns, and then perhaps a flip of the columns."""

    quarters: int
    flipped: bool

    def apply(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """The turned array, (..., y, x); odd quarters swap height and width."""
        turned = np.rot90(array, self.quarters, axes=(-2, -1))
        return np.ascontiguousarray(turned[..., ::-1] if self.flipped else turned)

    def undone(self, turned: NDArray[Scalar]) -> NDArray[Scalar]:
        """The array whose turned one this is."""
        array = turned[..., ::-1] if self.flipped else turned
        return np.ascontiguousarray(np.rot90(array, -self.quarters, axes=(-2, -1)))


IDENTITY = DihedralTransform(0, flipped=False)
DIHEDRAL_TRANSFORMS = tuple(
    DihedralTransform(quarters, flipped) for flipped in (False, True) for quarters in range(4)
)
