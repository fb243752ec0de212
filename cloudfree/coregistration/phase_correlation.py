"""How well two sensors agree for each shift between them, by their spectra.

OpenCV transforms a part ten times as fast as NumPy. Gradients along rows and along columns make one
complex number, so that one transform serves both: the real part of a correlation of such numbers
is the sum of the correlations of either gradient.

Cross-power spectra of gradient features add up over the clear windows of a scene. For each shift
the bands of both sensors are then compared by their squared canonical correlations: any mixture of
optical bands may explain any mixture of polarisations, with any sign, so that nothing has to be
known of how fields or towns look to a radar. Whitening by the covariance of the bands makes bands
with the same content count once.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32, Float64

Complex64 = NDArray[np.complex64]


def as_complex(features: Float32) -> Complex64:
    """Gradients along rows and columns, (2, band, y, x), as one complex number, (band, y, x)."""
    numbers = np.empty(features.shape[1:], dtype=np.complex64)
    numbers.real, numbers.imag = features
    return numbers


def side_for(part: int, reach: int) -> int:
    """Side of spectra in which a part and what lies within reach around it have room."""
    return int(cv2.getOptimalDFTSize(part + 2 * reach))


def spectra(images: Complex64, side: int) -> Complex64:
    """Spectra, (n, side, side), of images, (n, y, x), of no more than a side."""
    found = np.zeros((len(images), side, side), dtype=np.complex64)
    found[:, : images.shape[1], : images.shape[2]] = images
    for image in _pairs(found):
        cv2.dft(image, image)
    return found


def correlations(products: Complex64, reach: int) -> Float32:
    """Correlations, (n, 2 reach + 1, 2 reach + 1), for shifts from -reach to reach.

    `products`, (n, side, side), are spectra of what lies within reach around a part times the
    conjugate ones of the part. They are overwritten.
    """
    lags = 2 * reach + 1
    pairs = _pairs(products)
    for image in pairs:
        cv2.idft(image, image, flags=cv2.DFT_SCALE)
    return pairs[:, :lags, :lags, 0]


def _pairs(images: Complex64) -> Float32:
    """Real and imaginary part, (n, y, x, 2), as OpenCV takes them, in the same memory."""
    return images.view(np.float32).reshape(*images.shape, 2)


# Largest shift that is examined; values far from the peak give the level of noise.
REACH_PX = 32

# The ground is correlated in cells; like a chessboard they make two halves that are compared.
CELL_PX = 64

# Share of the mean variance added to each band before whitening.
RIDGE = 0.02


class CrossPower:
    """Cross-correlations of clear windows of one size, summed for two halves of the ground."""

    def __init__(self, height: int, width: int, optical_bands: int, sar_bands: int) -> None:
        self.reach = min(REACH_PX, height // 4, width // 4)
        self._cell = max(min(CELL_PX, height // 4, width // 4), 1)
        self._side = side_for(self._cell, self.reach)
        lags = 2 * self.reach + 1
        # Cross-correlations, (half of the ground, optical band, sar band, shift row, shift column).
        self._correlation: Float64 = np.zeros((2, optical_bands, sar_bands, lags, lags))
        self._optical = np.zeros((optical_bands, optical_bands))
        self._sar = np.zeros((sar_bands, sar_bands))

    def add(self, optical: Float32, sar: Float32) -> None:
        """Add the features of a clear window, (2, band, y, x) each."""
        seen, echo = as_complex(optical), as_complex(sar)
        self._optical += _covariance(seen)
        self._sar += _covariance(echo)
        reach, cell = self.reach, self._cell
        around = np.pad(echo, ((0, 0), (reach, reach), (reach, reach)))
        products = np.zeros((*self._correlation.shape[:3], self._side, self._side), np.complex64)
        product = np.empty_like(products[0])
        for row in range(0, seen.shape[1], cell):
            for col in range(0, seen.shape[2], cell):
                part = seen[:, row : row + cell, col : col + cell]
                if not part.any():
                    continue
                here = spectra(part, self._side)
                ends = row + cell + 2 * reach, col + cell + 2 * reach
                there = spectra(around[:, row : ends[0], col : ends[1]], self._side)
                np.multiply(here.conj()[:, None], there, out=product)
                products[(row // cell + col // cell) % 2] += product
        found = correlations(products.reshape(-1, self._side, self._side), reach)
        self._correlation += found.reshape(self._correlation.shape)

    def join(self, other: CrossPower) -> None:
        """Add what another one of the same size and bands has been given."""
        self._optical += other._optical
        self._sar += other._sar
        self._correlation += other._correlation

    def agreement(self) -> tuple[Float64, Float64, Float64]:
        """Agreement for each shift, on all of the ground and on either half of it.

        Each is (2 reach + 1, 2 reach + 1); row and column `reach` stand for no shift, later ones
        for Sentinel-1 content further down and right. From 0 to the number of polarisations.
        """
        halves = self._correlation
        whole = halves[0] + halves[1]
        # Each half holds about half of the variance.
        return (self._canonical(whole), 4 * self._canonical(halves[0]),
                4 * self._canonical(halves[1]))  # fmt: skip

    def mixture(self, row: int, col: int) -> Float32:
        """How optical features combine to those of each polarisation, (optical band, sar band).

        `row` and `col` are the shift, within reach, at which they are compared.
        """
        correlation = self._correlation.sum(axis=0)[..., self.reach + row, self.reach + col]
        left, right = _whitening(self._optical), _whitening(self._sar)
        return np.asarray(left.T @ left @ correlation @ right.T @ right, dtype=np.float32)

    def _canonical(self, correlation: Float64) -> Float64:
        whitened = np.einsum(
            "ao,bs,osij->abij", _whitening(self._optical), _whitening(self._sar), correlation
        )
        return np.asarray((whitened**2).sum(axis=(0, 1)), dtype=np.float64)


def _covariance(bands: Complex64) -> Float64:
    flat = bands.reshape(len(bands), -1)
    return np.real(flat @ flat.conj().T).astype(np.float64)


def _whitening(covariance: Float64) -> Float64:
    """W with W C W' = 1 for a covariance C; zeros where there is no variance at all."""
    mean = float(np.trace(covariance)) / len(covariance)
    if mean <= 0:
        return np.zeros_like(covariance)
    steady = covariance + RIDGE * mean * np.eye(len(covariance))
    return np.asarray(np.linalg.inv(np.linalg.cholesky(steady)), dtype=np.float64)
