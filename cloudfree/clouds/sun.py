"""Where the sun stood, read off the clouds and the dark ground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.clouds.cast import SHADOW_REACH_M, Bits
from cloudfree.clouds.ground import GroundAxes

AZIMUTH_STEP_DEG = 5
MIN_DISTANCE_M = 100.0

# Fields, woods and water are darker or brighter than the scene over more than this length; the
# shadow of a cloud is darker than what lies around it.
LANDSCAPE_M = 300.0
# Clouds differ in height, so their shadows agree on a distance only roughly.
BLUR_M = 60.0

# A direction is clear when it fits so much better than every one farther than this from it.
CLEAR_RATIO = 1.25
APART_DEG = 45
MIN_CORRELATION = 0.07

# Among scattered clouds, with so little of the valid scene covered, shadows show. Where no
# direction is clear then, the clouds are bright ground that throws none.
SCATTERED_SHARE = 0.25

# Sentinel-2 passes at 10:30 local solar time, with the sun in the eastern half of the sky; beyond
# south it comes at high northern latitudes only. Another direction must fit twice as well and more.
MORNING_DEG = (0, 210)
AFTERNOON_WEIGHT = 0.45

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class SunFit:
    """Azimuth of the sun in degrees clockwise from north; `clear` where no other fits as well."""

    azimuth_deg: float
    correlation: float
    clear: bool


def fit_sun(cloud: Bits, dark: Bits, valid: Bits, axes: GroundAxes) -> SunFit | None:
    """The direction of the sun for which dark ground lies where clouds throw shadows.

    The clouds, (y, x), are laid over the dark pixels displaced by up to 2 km in every direction;
    the direction of the greatest correlation wins. Only dark ground that is seen (valid, no cloud)
    counts, compared with its surroundings. Limits: it needs broken cloud and ground that is not
    darker than shadow itself; evenly spaced clouds, slopes and lakes can mislead it, as can clouds
    so high that their shadow falls farther away. None where no cloud throws a shadow: without any
    cloud or any dark pixel that is seen, or where scattered clouds fit no direction clearly.
    """
    seen = valid & ~cloud
    if not (cloud.any() and (dark & seen).any()):
        return None
    correlation = _Correlation.of(cloud, dark & seen, seen, axes)
    azimuths = np.arange(0, 360, AZIMUTH_STEP_DEG)
    fits = np.array([correlation.best_towards(float(azimuth) + 180.0) for azimuth in azimuths])
    fit = _choose(azimuths, fits)
    scattered = cloud.sum() < SCATTERED_SHARE * valid.sum()
    return None if scattered and not fit.clear else fit


def _choose(azimuths: NDArray[np.int_], fits: Float64) -> SunFit:
    morning = (azimuths >= MORNING_DEG[0]) & (azimuths <= MORNING_DEG[1])
    likely = np.where(morning, fits, AFTERNOON_WEIGHT * fits)
    best = int(likely.argmax())
    apart = np.abs((azimuths - azimuths[best] + 180) % 360 - 180) > APART_DEG
    clear = fits[best] >= max(MIN_CORRELATION, CLEAR_RATIO * float(fits[apart].max()))
    return SunFit(float(azimuths[best]), float(fits[best]), bool(clear))


@dataclass(frozen=True)
class _Correlation:
    """Correlation of displaced clouds with dark ground; no displacement in the middle."""

    plane: Float64
    axes: GroundAxes
    reach_m: float

    @classmethod
    def of(cls, cloud: Bits, dark: Bits, seen: Bits, axes: GroundAxes) -> _Correlation:
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

    def best_towards(self, azimuth_deg: float) -> float:
        """Greatest correlation along one direction."""
        step_m = self.axes.pixel_m / 2
        distances = np.arange(MIN_DISTANCE_M, max(self.reach_m, MIN_DISTANCE_M) + step_m, step_m)
        row, col = self.axes.displacement(azimuth_deg, 1.0)
        middle_row, middle_col = (length // 2 for length in self.plane.shape)
        rows = np.rint(distances * row).astype(int) + middle_row
        cols = np.rint(distances * col).astype(int) + middle_col
        inside = (rows >= 0) & (rows < self.plane.shape[0]) & (cols >= 0)
        inside &= cols < self.plane.shape[1]
        return float(self.plane[rows[inside], cols[inside]].max(initial=0.0))


def _contrast(dark: Bits, seen: Bits, axes: GroundAxes) -> Float64:
    """How much darker than its seen surroundings each seen pixel is, -1 to 1; 0 where unseen."""
    ground = _blurred(seen.astype(np.float64), LANDSCAPE_M, axes)
    local = _blurred(dark.astype(np.float64), LANDSCAPE_M, axes) / np.maximum(ground, 1e-6)
    return np.asarray((dark - local) * seen, dtype=np.float64)


def _blurred(plane: Float64, length_m: float, axes: GroundAxes) -> Float64:
    rows, cols = (max(length_m * density, 1.0) for density in axes.px_per_m)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigmaX=cols, sigmaY=rows), dtype=np.float64)


def _inverse(spectrum: NDArray[np.complex128], size: tuple[int, int]) -> Float64:
    """Back from the spectrum, no displacement in the middle."""
    return np.asarray(np.fft.fftshift(np.fft.irfft2(spectrum, size)), dtype=np.float64)
