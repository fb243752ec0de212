"""Randomness with structure: fractal fields, and numbers that belong to a cell."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

UInt32 = NDArray[np.uint32]
Shape = tuple[int, int]


def fractal_noise(
    shape: Shape, rng: np.random.Generator, slope: float, coarsest_px: float, stretch: float = 1.0
) -> Float32:
    """Gaussian field, (y, x), of mean 0 and deviation 1 whose amplitude falls as frequency^-slope.

    Structures larger than `coarsest_px` are not favoured further. With `stretch` above 1 they are
    that much longer along the columns' direction than across it. A field of one pixel is 0.
    """
    # The field of a Fourier transform is periodic: a quarter more than is used hides it.
    side = cv2.getOptimalDFTSize(int(max(shape) * 1.25))
    rows = np.fft.fftfreq(side).astype(np.float32)[:, None] * np.float32(stretch)
    cols = np.fft.rfftfreq(side).astype(np.float32)[None, :]
    frequency = np.hypot(rows, cols) + np.float32(1.0 / coarsest_px)
    spectrum = rng.standard_normal((2, *frequency.shape), dtype=np.float32)
    waves = (spectrum[0] + np.complex64(1j) * spectrum[1]) * frequency ** np.float32(-slope)
    waves[0, 0] = 0.0
    field = np.fft.irfft2(waves, s=(side, side))[: shape[0], : shape[1]]
    field -= field.mean()
    return np.asarray(field / (field.std() or 1.0), dtype=np.float32)


def scatter(salt: int, *keys: NDArray[np.integer]) -> UInt32:
    """A number per element that looks random and depends on its keys alone.

    All pixels of one cell get the same number, whatever their order.
    """
    mixed = np.full(np.broadcast_shapes(*(key.shape for key in keys)), salt, dtype=np.uint32)
    for key in keys:
        mixed ^= key.astype(np.uint32)
        mixed *= np.uint32(0x9E3779B1)
        mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x85EBCA77)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE3D)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def chance(salt: int, *keys: NDArray[np.integer]) -> Float32:
    """A number in [0, 1) per element that depends on its keys alone."""
    return (scatter(salt, *keys) >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
