"""The ground-range image of a GRD product, calibrated window by window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset
from cloudfree.sentinel1.annotation import Annotation, read_calibration, read_noise, sigma_nought
from cloudfree.sentinel1.border_noise import BORDER_PX, HALO_PX, border_noise_mask, is_border_noise
from cloudfree.sentinel1.geocoded_files import stack
from cloudfree.sentinel1.product import Product


class GroundRangeImage(Dataset):
    """VV and VH in ground range: sigma-nought as linear power, thermal noise removed."""

    def __init__(self, product: Product, annotation: Annotation) -> None:
        rasters = [product.gdal_path(product.measurement(band)) for band in SAR_BANDS]
        super().__init__(product.path, stack(rasters, SAR_BANDS))
        self.height, self.width = annotation.height, annotation.width
        with self.closed_on_error():
            self._check_size(product)
            self._gains = [
                read_calibration(product.read(name), name)
                for name in map(product.calibration, SAR_BANDS)
            ]
            self._noises = [
                read_noise(product.read(name), name) for name in map(product.noise, SAR_BANDS)
            ]

    def power(self, window: Window) -> Float32:
        """Sigma-nought of a window, (2, y, x), NaN in border noise and beyond the image."""
        numbers = self.read([0, 1], window)
        power = np.stack(
            [
                sigma_nought(band, gain.on(window), noise.on(window))
                for band, gain, noise in zip(numbers, self._gains, self._noises, strict=True)
            ]
        )
        missing = self._border_noise(window) | np.isnan(power).any(axis=0)
        power[:, missing] = np.nan
        return power

    def mean_power(self, window: Window, side: int) -> Float32:
        """Means of sigma-nought over squares of `side` pixels, (2, y, x); NaN if one is missing.

        Incomplete squares at the end of the window are left out.
        """
        power = self.power(window)
        if side == 1:
            return power
        bands, height, width = len(power), window.height // side, window.width // side
        whole = power[:, : height * side, : width * side]
        means = whole.reshape(bands, height, side, width, side).mean(axis=(2, 4))
        return np.asarray(means, dtype=np.float32)

    def _border_noise(self, window: Window) -> NDArray[np.bool_]:
        """Border noise of a window, (y, x), by the power of VV."""
        outer = self._reaching_ends(window)
        if not any(self._ends(outer)):
            return np.zeros((window.height, window.width), dtype=np.bool_)
        numbers = self.read([0], outer)[0]
        blank = is_border_noise(numbers, self._gains[0].on(outer), self._noises[0].on(outer))
        return border_noise_mask(blank, self._ends(outer))[window.relative_to(outer)]

    def _reaching_ends(self, window: Window) -> Window:
        """A window extended to those edges of the image whose border noise may reach it."""
        buffered = window.buffered(HALO_PX, self.height, self.width)
        top = 0 if buffered.row < BORDER_PX else buffered.row
        left = 0 if buffered.col < BORDER_PX else buffered.col
        bottom, right = (
            size if size - stop < BORDER_PX else stop
            for stop, size in ((buffered.row_stop, self.height), (buffered.col_stop, self.width))
        )
        return Window(top, left, bottom - top, right - left)

    def _ends(self, window: Window) -> tuple[bool, bool, bool, bool]:
        """Whether a window reaches the top, bottom, left and right of the image."""
        return (
            window.row == 0,
            window.row_stop == self.height,
            window.col == 0,
            window.col_stop == self.width,
        )

    def _check_size(self, product: Product) -> None:
        found = (self.handle.height, self.handle.width)
        if found != (self.height, self.width):
            raise InputError(
                f"{found[0]} x {found[1]} pixels in the measurements of {product.name}",
                wanted=f"{self.height} x {self.width}, as its annotation says",
                hint="give the product as it was delivered, not a resampled copy",
            )
