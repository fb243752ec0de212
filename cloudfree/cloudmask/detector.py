"""What a cloud detector gives, and the classes that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.score import Planes
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError

# Probability from which on ground that a cloud can throw its shadow on is shadow. Of those from
# 0.05 to 0.4 the one with the best balance of precision and recall (docs/experiments.md).
FAINT_SHADOW = 0.1


@dataclass(frozen=True)
class Probabilities:
    """Probability, 0 to 1, of thick and of thin cloud, of shadow and of snow; the rest is clear.

    Each is (y, x), in the cells of the detector; those of the last row and column may reach beyond
    the pixels.
    """

    cloud: Float32
    thin_cloud: Float32
    shadow: Float32
    snow: Float32

    @property
    def covered(self) -> Float32:
        """Probability of any cloud, (y, x) in cells."""
        return self.cloud + self.thin_cloud

    def part(self, cells: tuple[slice, slice]) -> Probabilities:
        """The probabilities of rows and columns of cells."""
        planes = (self.cloud, self.thin_cloud, self.shadow, self.snow)
        return Probabilities(*(plane[cells] for plane in planes))

    def classes(self, threshold: float) -> Mask:
        """Classes, (y, x) in cells: cloud from `threshold` on, else what is most probable.

        Clear ground that may be shadow is `FAINT_SHADOW`, which the clouds are to confirm.
        """
        covered = self.covered
        clear = 1.0 - covered - self.shadow - self.snow
        mask = np.full(clear.shape, MaskClass.CLEAR, dtype=np.uint8)
        mask[self.shadow >= FAINT_SHADOW] = MaskClass.FAINT_SHADOW
        mask[(self.shadow > clear) & (self.shadow >= self.snow)] = MaskClass.SHADOW
        mask[(self.snow > clear) & (self.snow > self.shadow)] = MaskClass.SNOW
        mask[covered >= threshold] = MaskClass.CLOUD
        return mask


class Detector(Protocol):
    """Finds clouds, their shadows and snow in reflectance.

    `name` is that of the option; `threshold` the probability from which on it calls cloud, unless
    the user gives another; `halo_px` how far it is to see beyond a window.
    """

    @property
    def name(self) -> str:
        """Name of the detector."""
        ...

    @property
    def threshold(self) -> float:
        """Probability of cloud, 0 to 1, from which on a pixel is one."""
        ...

    @property
    def cell_px(self) -> int:
        """Side in pixels of the cells whose mean reflectance it is given; 1 for pixels."""
        ...

    @property
    def halo_px(self) -> int:
        """Pixels around a window that are given with it."""
        ...

    def bands(self, available: Sequence[str]) -> tuple[str, ...]:
        """Those of the `available` bands that it looks at.

        Raises
        ------
        InputError
            A band that it needs is missing.
        """
        ...

    def probabilities(self, planes: Planes) -> Probabilities:
        """Probabilities for reflectance of cells, (y, x), by band name, NaN without data."""
        ...


def needed_bands(bands: tuple[str, ...], available: Sequence[str], name: str) -> tuple[str, ...]:
    """The bands of the detector `name`, all of which it needs.

    Raises
    ------
    InputError
        A band is missing.
    """
    if missing := [band for band in bands if band not in available]:
        raise InputError(
            f"no band {', '.join(missing)} (found {', '.join(available)})",
            wanted=f"the bands of {name}: {', '.join(bands)}",
            hint="give a scene with these bands, or choose another --detector",
            code=ErrorCode.MISSING_BAND,
        )
    return bands


Value = TypeVar("Value", bound=np.generic)


def cell_means(plane: Float32, cell_px: int) -> Float32:
    """Means of cells of a plane, (y, x); rows and columns that do not fill a cell are repeated."""
    if cell_px == 1:
        return plane
    height, width = plane.shape
    rows, cols = -height % cell_px, -width % cell_px
    if rows or cols:
        plane = np.asarray(cv2.copyMakeBorder(plane, 0, rows, 0, cols, cv2.BORDER_REPLICATE))
    size = ((width + cols) // cell_px, (height + rows) // cell_px)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def of_pixels(cells: NDArray[Value], cell_px: int, height: int, width: int) -> NDArray[Value]:
    """Values of cells, (y, x), for each of `height` x `width` pixels."""
    if cell_px > 1:
        cells = cells.repeat(cell_px, axis=0).repeat(cell_px, axis=1)
    return cells[:height, :width]
