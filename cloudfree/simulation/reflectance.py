"""What Sentinel-2 sees of a landscape through clear air."""

from __future__ import annotations

import cv2
import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.land_cover import PIXEL_M, Landscape
from cloudfree.simulation.land_cover_spectra import SPECTRA, number

# Light that the air scatters into the sensor before it reaches the ground, in the order of the L1C
# bands: what dark deep water measures under a moderately clear sky.
PATH = np.array(
    [0.105, 0.080, 0.052, 0.030, 0.024, 0.018, 0.016, 0.014, 0.011, 0.005, 0.0005, 0.003, 0.002],
    dtype=np.float32,
)

# Side of a pixel on the ground in pixels of 10 m (S2 PSD-14.9, spatial resolution of the bands).
COARSENESS = {
    **dict.fromkeys(("B01", "B09", "B10"), 6),
    **dict.fromkeys(("B05", "B06", "B07", "B8A", "B11", "B12"), 2),
}

# Width of the optics' point spread, standard deviation in pixels of 10 m.
_OPTICAL_BLUR_PX = 0.55
# Deviation of the sensor's noise: a signal-to-noise ratio of some 150 at mid brightness.
_NOISE = 0.0008


def clear_reflectance(
    land: Landscape, sun: tuple[float, float], rng: np.random.Generator
) -> Float32:
    """Top-of-atmosphere reflectance, (13, y, x), 0-1, at 10 m before the bands' own resolution.

    `sun` is the sun's azimuth and zenith angle in degrees.
    """
    shade = cv2.GaussianBlur(
        land.brightness * _hillshade(land.height, *sun), (0, 0), _OPTICAL_BLUR_PX
    )
    canopy = SPECTRA[number("canopy")]
    bands = np.empty((len(OPTICAL_BANDS), *land.shape), dtype=np.float32)
    for index, path in enumerate(PATH):
        ground = SPECTRA[land.material, index]
        ground += land.green * (canopy[index] - ground)
        ground = cv2.GaussianBlur(ground - path, (0, 0), _OPTICAL_BLUR_PX)
        noise = rng.standard_normal(land.shape, dtype=np.float32)
        noise *= min(_NOISE, 0.3 * float(path))
        bands[index] = np.maximum(path + ground * shade + noise, 0.1 * path)
    return bands


def _hillshade(height: Float32, azimuth_deg: float, zenith_deg: float) -> Float32:
    """Sunlight on sloping ground relative to level ground, (y, x)."""
    down, right = np.gradient(height, PIXEL_M)
    azimuth, zenith = np.radians((azimuth_deg, zenith_deg))
    # The ground falls towards the sun where height lessens that way; rows count southwards.
    towards_sun = down * np.cos(azimuth) - right * np.sin(azimuth)
    return np.asarray(np.clip(1.0 + np.tan(zenith) * towards_sun, 0.45, 1.5), dtype=np.float32)


def coarsened(plane: Float32, band: str) -> Float32:
    """A plane, (y, x), as a band of coarser pixels shows it on the 10 m grid.

    20 m bands are interpolated and 60 m bands repeated, as common export services do.
    """
    factor = COARSENESS.get(band, 1)
    if factor == 1:
        return plane
    height, width = plane.shape
    rows, cols = -(-height // factor), -(-width // factor)
    whole = cv2.copyMakeBorder(
        plane, 0, rows * factor - height, 0, cols * factor - width, cv2.BORDER_REPLICATE
    )
    small = cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA)
    back = cv2.INTER_LINEAR if factor == 2 else cv2.INTER_NEAREST
    large = cv2.resize(small, whole.shape[::-1], interpolation=back)
    return np.ascontiguousarray(large[:height, :width], dtype=np.float32)
