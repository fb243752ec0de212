"""Statistics of bands as GDAL keeps them in the metadata, from pixels as they are written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float64

# Rasters up to this side are counted whole; of larger ones every n-th row and column, about a
# million pixels of each band, which takes a thousandth of the time of `cloudfree remove`.
SAMPLED_PX = 1024


class BandStatistics:
    """Minimum, maximum, mean and standard deviation of each band, in the numbers of the file.

    Windows may come in any order; each pixel is to be added once.
    """

    def __init__(self, grid: Grid, bands: int, nodata: float | None) -> None:
        self._step = -(-max(grid.height, grid.width) // SAMPLED_PX)
        self._nodata = nodata
        self._seen = 0
        self._valid = np.zeros(bands, dtype=np.int64)
        self._lowest = np.full(bands, np.inf)
        self._highest = np.full(bands, -np.inf)
        self._sum = np.zeros(bands)
        self._sum_of_squares = np.zeros(bands)

    def add(self, window: Window, pixels: NDArray[np.generic]) -> None:
        """Add the pixels of a window, (band, y, x)."""
        row, col = -window.row % self._step, -window.col % self._step
        sample = pixels[:, row :: self._step, col :: self._step]
        self._seen += sample[0].size
        for band, plane in enumerate(sample):
            values = plane[self._is_valid(plane)].astype(np.float64)
            if values.size:
                self._add(band, values)

    def _add(self, band: int, values: Float64) -> None:
        self._valid[band] += values.size
        self._lowest[band] = min(self._lowest[band], values.min())
        self._highest[band] = max(self._highest[band], values.max())
        self._sum[band] += values.sum()
        self._sum_of_squares[band] += values @ values

    def _is_valid(self, plane: NDArray[np.generic]) -> NDArray[np.bool_]:
        valid: NDArray[np.bool_] = np.isfinite(plane)
        if self._nodata is not None and not np.isnan(self._nodata):
            valid &= plane != self._nodata
        return valid

    def tags(self) -> tuple[dict[str, str], ...]:
        """GDAL's band metadata, by band; none of a band without data.

        `STATISTICS_APPROXIMATE` marks those of a sample. Names and digits: `SetStatistics` and
        `ComputeStatistics` of GDAL's gdalrasterband.cpp.
        """
        return tuple(self._tags(band) for band in range(self._valid.size))

    def _tags(self, band: int) -> dict[str, str]:
        count = int(self._valid[band])
        if not count:
            return {}
        mean = self._sum[band] / count
        variance = max(self._sum_of_squares[band] / count - mean**2, 0.0)
        tags = {
            "STATISTICS_MINIMUM": f"{self._lowest[band]:.14g}",
            "STATISTICS_MAXIMUM": f"{self._highest[band]:.14g}",
            "STATISTICS_MEAN": f"{mean:.14g}",
            "STATISTICS_STDDEV": f"{np.sqrt(variance):.14g}",
            "STATISTICS_VALID_PERCENT": f"{100 * count / self._seen:.4g}",
        }
        return tags if self._step == 1 else {**tags, "STATISTICS_APPROXIMATE": "YES"}
