"""PSNR, SSIM, SAM, MAE and RMSE of an image against the truth, over all or some of its pixels.

A small image is scored at once (`score`), a large scene strip by strip: `compare` a strip, `add`
it to one `Scores` for each choice of pixels, ask for the `figures` at the end. A strip that
reaches `HALO_PX` rows beyond what is added gives the same figures as the whole scene at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32

# Window and constants of Wang et al., IEEE TIP 13(4), 2004, for a dynamic range of 1.
WINDOW_PX = 11
SIGMA_PX = 1.5
C1 = 0.01**2
C2 = 0.03**2

# How far beyond a pixel its window reaches.
HALO_PX = WINDOW_PX // 2

CENTRED = WINDOW_PX / 2 - 0.5
# GLF-CR (metrics.py) centres the bell half a pixel beside the middle of the window.
OFF_CENTRE = WINDOW_PX / 2


def structural_similarity(truth: Float32, image: Float32, centre: float = CENTRED) -> Float32:
    """SSIM of every pixel of two images, (band, y, x), each band by itself; same shape, at most 1.

    Beyond the border both images count as zero, as in the published code. `centre` is the
    position of the bell in its window: `CENTRED` is the definition of UnCRtainTS and the default,
    `OFF_CENTRE` that of GLF-CR.

    Source: UnCRtainTS, learning/metrics.py (symmetric window, zero padding 5); the formula is
    equation 13 of Wang et al., IEEE TIP 13(4), 2004.
    """
    window = _bell(centre)
    pairs = zip(truth, image, strict=True)
    return np.stack([_band_similarity(one, other, window) for one, other in pairs])


def _bell(centre: float) -> NDArray[np.float64]:
    """The window along one side; the square window is its outer product with itself."""
    bell = np.exp(-((np.arange(WINDOW_PX) - centre) ** 2) / (2 * SIGMA_PX**2))
    return np.asarray(bell / bell.sum(), dtype=np.float64)


def _band_similarity(truth: Float32, image: Float32, window: NDArray[np.float64]) -> Float32:
    # Double precision: E[x^2] - mu^2 loses most of its digits over even ground.
    x, y = truth.astype(np.float64), image.astype(np.float64)
    mean_x, mean_y = _smooth(x, window), _smooth(y, window)
    variances = _smooth(x * x + y * y, window) - mean_x**2 - mean_y**2
    covariance = _smooth(x * y, window) - mean_x * mean_y
    structure = (2 * covariance + C2) / (variances + C2)
    brightness = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return np.asarray(brightness * structure, dtype=np.float32)


def _smooth(values: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth = cv2.sepFilter2D(values, cv2.CV_64F, window, window, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(smooth, dtype=np.float64)


def spectral_angle_deg(truth: Float32, image: Float32) -> Float32:
    """Angle between the spectra of two images, (band, y, x), in degrees; shape (y, x).

    There is no epsilon: a pixel that is zero in all bands of either image has no direction and
    gives NaN. Computed in single precision and in the published order, so identical spectra give
    some 0.006 degrees rather than 0.

    Source: UnCRtainTS, learning/metrics.py, `img_metrics` (Ebel et al., CVPRW 2023); the angle is
    that of Kruse et al., Remote Sensing of Environment 44, 1993.
    """
    product = (truth * image).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = product / np.sqrt((truth**2).sum(axis=0)) / np.sqrt((image**2).sum(axis=0))
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), dtype=np.float32)


Where = NDArray[np.bool_]
Slices = tuple[slice, slice]
EVERYTHING: Slices = (slice(None), slice(None))


@dataclass(frozen=True)
class Metrics:
    """How close an image comes to the truth; None without a valid pixel.

    PSNR is in dB for a peak reflectance of 1 and infinite for equal images, SAM in degrees, MAE
    and RMSE in reflectance. SAM is None for one band by itself.
    """

    pixels: int
    psnr: float | None
    ssim: float | None
    sam: float | None
    mae: float | None
    rmse: float | None


@dataclass(frozen=True)
class Differences:
    """What each pixel of an image differs from the truth.

    `error` is image minus truth and `ssim` the similarity, both (band, y, x); `angle_deg` and
    `valid` are (y, x). Where not `valid`, one of the two images has no data.
    """

    error: Float32
    ssim: Float32
    angle_deg: Float32
    valid: Where

    def inside(self, slices: Slices) -> Differences:
        """The differences of some rows and columns."""
        both = (slice(None), *slices)
        return Differences(
            self.error[both], self.ssim[both], self.angle_deg[slices], self.valid[slices]
        )


def has_data(image: Float32) -> Where:
    """True, (y, x), where all bands of an image, (band, y, x), are numbers."""
    return np.asarray(np.isfinite(image).all(axis=0))


def compare(truth: Float32, image: Float32, centre: float = CENTRED) -> Differences:
    """The differences between two images of reflectance, (band, y, x), NaN where there is no data.

    A pixel without data in one of them counts as zero in both for the similarity of its
    neighbours, as the world beyond the border does. `centre` is that of the similarity's window.
    """
    valid = has_data(truth) & has_data(image)
    truth, image = np.where(valid, truth, 0), np.where(valid, image, 0)
    return Differences(
        error=image - truth,
        ssim=structural_similarity(truth, image, centre),
        angle_deg=spectral_angle_deg(truth, image),
        valid=valid,
    )


class Scores:
    """Sums of differences, from which follow the metrics of all pixels added."""

    def __init__(self, bands: int) -> None:
        # Rows: squared error, absolute error, similarity; one column for each band.
        self._sums = np.zeros((3, bands))
        self._pixels = 0
        self._angle_deg, self._directed = 0.0, 0

    def add(self, differences: Differences, where: Where | None = None) -> None:
        """Take in the valid pixels, or those of them where `where`, (y, x), is true."""
        chosen = differences.valid if where is None else differences.valid & where
        error = differences.error[:, chosen]
        for row, values in enumerate((error**2, np.abs(error), differences.ssim[:, chosen])):
            self._sums[row] += values.sum(axis=1, dtype=np.float64)
        self._pixels += int(chosen.sum())
        self._add_angles(differences.angle_deg[chosen])

    def figures(self) -> Metrics:
        """Over all bands together: every band counts the same."""
        sam = self._angle_deg / self._directed if self._directed else None
        return self._figures(self._sums.mean(axis=1), sam)

    def of_bands(self) -> list[Metrics]:
        """Band by band."""
        return [self._figures(sums, sam=None) for sums in self._sums.T]

    def _add_angles(self, angles_deg: Float32) -> None:
        # The published code drops a whole sample for one pixel without direction; in a scene only
        # that pixel is dropped.
        directed = np.isfinite(angles_deg)
        self._angle_deg += float(angles_deg[directed].sum(dtype=np.float64))
        self._directed += int(directed.sum())

    def _figures(self, sums: NDArray[np.float64], sam: float | None) -> Metrics:
        if not self._pixels:
            return Metrics(0, None, None, None, None, None)
        squared, mae, ssim = (float(total) / self._pixels for total in sums)
        psnr = -10 * math.log10(squared) if squared else math.inf
        return Metrics(self._pixels, psnr, ssim, sam, mae, math.sqrt(squared))


def score(truth: Float32, image: Float32, where: Where | None = None) -> Metrics:
    """The figures of two images of reflectance, (band, y, x), over the pixels `where` is true.

    Source: UnCRtainTS, learning/metrics.py, `img_metrics`.
    """
    scores = Scores(truth.shape[0])
    scores.add(compare(truth, image), where)
    return scores.figures()
