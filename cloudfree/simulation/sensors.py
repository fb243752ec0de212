"""What Sentinel-1 and Sentinel-2 see of a landscape through clear air."""

from __future__ import annotations

import cv2
import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32, decibel
from cloudfree.simulation.land_cover import PIXEL_M, SIGMA_NOUGHT, SPECTRA, Landscape, number
from cloudfree.simulation.noise import Shape

# Equivalent number of looks of IW GRD products (Sentinel-1 Product Specification, 4.4 to 5).
LOOKS = 5
# A resolution of 20 m sampled at 10 m: neighbouring pixels share three quarters of their speckle.
_SPECKLE_PX = 1.25
_KERNEL = cv2.getGaussianKernel(11, _SPECKLE_PX)
# Width of the impulse response, standard deviation in pixels of 10 m.
_RADAR_BLUR_PX = 0.9
# Noise-equivalent sigma-nought that is left after noise removal.
_NOISE_POWER = 10.0 ** (-31.0 / 10.0)
# How much louder ground is that leans towards the radar, in dB per unit of slope.
_SLOPE_DB = 9.0


def mean_backscatter(land: Landscape) -> Float32:
    """Sigma-nought without speckle in linear power, (VV and VH, y, x)."""
    canopy = SIGMA_NOUGHT[number("canopy")]
    # Seen from the west by an ascending right-looking pass: ground that rises eastwards is louder.
    lean = np.clip(_SLOPE_DB * np.gradient(land.height, PIXEL_M, axis=1), -3.0, 3.0)
    gain = (10.0 ** ((land.backscatter_offset_db + lean) / 10.0)).astype(np.float32)
    power = np.empty((2, *land.shape), dtype=np.float32)
    for index in range(2):
        ground = SIGMA_NOUGHT[land.material, index]
        ground += land.green * (canopy[index] - ground)
        # Bright targets of a settlement owe less to the cross-polarised channel.
        own = gain if index == 0 else gain**0.85
        power[index] = cv2.GaussianBlur(ground * own, (0, 0), _RADAR_BLUR_PX) + _NOISE_POWER
    return power


def observed(power: Float32, rng: np.random.Generator) -> Float32:
    """Sigma-nought in dB, (band, y, x), of mean `power` under speckle."""
    height, width = power.shape[1:]
    return np.stack([decibel(plane * speckle((height, width), rng)) for plane in power])


def speckle(shape: Shape, rng: np.random.Generator) -> Float32:
    """Multiplicative speckle, (y, x), gamma-distributed with mean 1 and `LOOKS` looks.

    Each look is the power of a complex Gaussian field as wide as the sensor's resolution
    (Goodman, "Some fundamental properties of speckle", 1976).
    """
    # Blurring folds the field at its border; an edge as wide as the kernel is drawn and cut off.
    edge = _KERNEL.size // 2
    total = np.zeros((shape[0] + 2 * edge, shape[1] + 2 * edge), dtype=np.float32)
    for _ in range(2 * LOOKS):
        field = rng.standard_normal(total.shape, dtype=np.float32)
        total += cv2.sepFilter2D(field, cv2.CV_32F, _KERNEL, _KERNEL) ** 2
    total /= 2 * LOOKS * float((_KERNEL**2).sum()) ** 2
    return total[edge:-edge, edge:-edge]


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
