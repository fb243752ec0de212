"""How well dark ground follows the clouds, for every displacement between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.pixel_axes import PixelAxes
from cloudfree.cloudmask.shadow_projection import SHADOW_REACH_M, Bits
from cloudfree.core.radiometry import Float64

MIN_DISTANCE_M = 100.0

# Fields, woods and water are darker or brighter than the scene over more than this length; the
# shadow of a cloud is darker than what lies around it.
LANDSCAPE_M = 300.0
# Clouds differ in height, so their shadows agree on a distance only roughly.
BLUR_M = 60.0


@dataclass(frozen=True)
class Correlation:
    """Correlation of displaced clouds with dark ground; no displacement in the middle."""

    plane: Float64
    axes: PixelAxes
    reach_m: float

    @classmethod
    def of(cls, cloud: Bits, dark: Bits, seen: Bits, axes: PixelAxes) -> Self:
        """Of masks, (y, x): `cloud`, what is `seen` of the ground, and what is `dark` of that."""
        reach_m = min(SHADOW_REACH_M, float(np.hypot(*cloud.shape)) * axes.pixel_m)
        rows, cols = (int(np.ceil(reach_m * density)) + 1 for density in axes.px_per_m)
        size = (cloud.shape[0] + rows, cloud.shape[1] + cols)
        contrast = _contrast(dark, seen, axes)
        clouds = np.conj(np.fft.rfft2(cloud, size))
        together = _blurred(_inverse(clouds * np.fft.rfft2(contrast, size), size), BLUR_M, axes)
        covered = _blurred(_inverse(clouds * np.fft.rfft2(seen, size), size), BLUR_M, axes)
        total = float(seen.sum())
        # Variances of a cloud mask with mean covered/total and of the contrast, over seen pixels.
        variance = np.maximum(covered * (1.0 - covered / total), 1.0) * float((contrast**2).sum())
        return cls(together / np.sqrt(np.maximum(variance, 1e-12)), axes, reach_m)

    def away_from_sun(self, azimuth_deg: float) -> tuple[Float64, Float64]:
        """Distances in metres and correlation at each, for the sun at `azimuth_deg`."""
        step_m = self.axes.pixel_m / 2
        distances = np.arange(MIN_DISTANCE_M, max(self.reach_m, MIN_DISTANCE_M) + step_m, step_m)
        row, col = self.axes.displacement(azimuth_deg + 180.0, 1.0)
        middle_row, middle_col = (length // 2 for length in self.plane.shape)
        rows = np.rint(distances * row).astype(int) + middle_row
        cols = np.rint(distances * col).astype(int) + middle_col
        inside = (rows >= 0) & (rows < self.plane.shape[0]) & (cols >= 0)
        inside &= cols < self.plane.shape[1]
        return distances[inside], self.plane[rows[inside], cols[inside]]


def _contrast(dark: Bits, seen: Bits, axes: PixelAxes) -> Float64:
    """How much darker than its seen surroundings each seen pixel is, -1 to 1; 0 where unseen."""
    ground = _blurred(seen.astype(np.float64), LANDSCAPE_M, axes)
    local = _blurred(dark.astype(np.float64), LANDSCAPE_M, axes) / np.maximum(ground, 1e-6)
    return np.asarray((dark - local) * seen, dtype=np.float64)


def _blurred(plane: Float64, length_m: float, axes: PixelAxes) -> Float64:
    rows, cols = (max(length_m * density, 1.0) for density in axes.px_per_m)
    single = plane.astype(np.float32)  # half the time, and digits enough for counts of pixels
    return np.asarray(cv2.GaussianBlur(single, (0, 0), sigmaX=cols, sigmaY=rows), dtype=np.float64)


def _inverse(spectrum: NDArray[np.complex128], size: tuple[int, int]) -> Float64:
    """Back from the spectrum, no displacement in the middle."""
    return np.asarray(np.fft.fftshift(np.fft.irfft2(spectrum, size)), dtype=np.float64)
