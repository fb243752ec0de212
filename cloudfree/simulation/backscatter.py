"""What Sentinel-1 sees of a landscape."""

from __future__ import annotations

import cv2
import numpy as np

from cloudfree.core.radiometry import Float32, decibel
from cloudfree.simulation.land_cover import PIXEL_M, Landscape
from cloudfree.simulation.land_cover_spectra import SIGMA_NOUGHT, number
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
        # Bright targets of a town owe less to the cross-polarised channel.
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
    # Blurring folds the field at its border; a rim as wide as the kernel is drawn and cut off.
    rim = _KERNEL.size // 2
    total = np.zeros((shape[0] + 2 * rim, shape[1] + 2 * rim), dtype=np.float32)
    for _ in range(2 * LOOKS):
        field = rng.standard_normal(total.shape, dtype=np.float32)
        total += cv2.sepFilter2D(field, cv2.CV_32F, _KERNEL, _KERNEL) ** 2
    total /= 2 * LOOKS * float((_KERNEL**2).sum()) ** 2
    return total[rim:-rim, rim:-rim]
