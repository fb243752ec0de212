"""A GRD product corrected for the relief by a digital elevation model.

sarsen, an optional dependency, finds the zero-Doppler time and slant range of a ground point with
its height. The rest is as without an elevation model, so that the image is resampled once.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import Transformer

from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, Float64
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster import warp
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.warp import grid_of
from cloudfree.sentinel1.annotation import Annotation
from cloudfree.sentinel1.geolocation import TimeOfLine, slant_range_to_pixel
from cloudfree.sentinel1.grd import GrdScene, annotation_of
from cloudfree.sentinel1.product import Product

_TO_EARTH_FIXED = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)

# Accuracy of the zero-Doppler position in metres along the orbit.
ZERO_DOPPLER_M = 0.05


def terrain_scene(product: Product, units: str, dem: Path) -> GrdScene:
    """Open a GRD product with terrain correction by the heights in `dem`.

    Raises
    ------
    InputError
        sarsen is not installed, or the heights cannot be used.
    """
    geolocation = OrbitGeolocation(annotation_of(product))
    heights = Elevation(dem)
    with heights.closed_on_error():
        return GrdScene(product, units, geolocation, heights)


class OrbitGeolocation:
    """Locates ground points by the orbit of the satellite."""

    def __init__(self, annotation: Annotation) -> None:
        self._sarsen = _sarsen()
        self._orbit = self._interpolator(annotation)
        self._to_pixel = slant_range_to_pixel(annotation)
        self._times = TimeOfLine(annotation.tie_points)
        self._size = annotation.height, annotation.width

    def locate(
        self, longitude: Float64, latitude: Float64, height_m: Float64
    ) -> tuple[Float64, Float64]:
        """Line and pixel, counted in pixel centres, of ground points; NaN beyond the image."""
        time_s, slant_range_m = self._zero_doppler(longitude, latitude, height_m)
        line, pixel = self._times.line(time_s), self._to_pixel(time_s, slant_range_m)
        height, width = self._size
        # Neither the orbit nor the ground range is defined far from the image.
        beyond = (np.abs(line / height - 0.5) > 1) | (np.abs(pixel / width - 0.5) > 1)
        return np.where(beyond, np.nan, line), np.where(beyond, np.nan, pixel)

    def _zero_doppler(
        self, longitude: Float64, latitude: Float64, height_m: Float64
    ) -> tuple[Float64, Float64]:
        """Seconds since the first tie point, and slant range in metres."""
        xarray = importlib.import_module("xarray")
        lon, lat, height = (np.ravel(value) for value in (longitude, latitude, height_m))
        points = xarray.DataArray(
            np.stack(_TO_EARTH_FIXED.transform(lon, lat, height)),
            dims=("axis", "point"),
            coords={"axis": [0, 1, 2]},
        )
        time, distance, _ = self._sarsen.geocoding.backward_geocode_simple(
            points, self._orbit, method="newton", zero_doppler_distance=ZERO_DOPPLER_M
        )
        since = (self._orbit.epoch - self._times.epoch) / np.timedelta64(1, "s")
        slant_range = np.sqrt(np.square(distance).sum("axis"))
        shape = np.shape(longitude)
        return time.values.reshape(shape) + since, slant_range.values.reshape(shape)

    def _interpolator(self, annotation: Annotation) -> Any:
        """The orbit as sarsen's interpolator."""
        xarray = importlib.import_module("xarray")
        orbit = annotation.orbit
        positions = xarray.DataArray(
            orbit.position_m,
            dims=("azimuth_time", "axis"),
            coords={"azimuth_time": orbit.time, "axis": [0, 1, 2]},
        )
        return self._sarsen.orbit.OrbitPolyfitInterpolator.from_position(positions)


class Elevation(Dataset):
    """Heights above the ellipsoid in metres, the first band of a raster."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._covers: set[Grid] = set()
        with self.closed_on_error():
            self.grid = warp.unwrapped_longitudes(grid_of(self.handle))
            self._require_heights()

    def on_grid(self, grid: Grid, window: Window) -> Float64:
        """Metres above the ellipsoid at each pixel of a window, (y, x); NaN where unknown.

        Raises
        ------
        InputError
            The model does not cover the grid.
        """
        self._check_coverage(grid)
        target = grid.crop(window)
        part = warp.needed_window(self.grid, target)
        if part is None:
            return np.full((window.height, window.width), np.nan)
        scale = warp.reduction(self.grid, grid)
        heights = warp.resample(self._heights(part), self.grid.crop(part), target, scale)
        return np.asarray(heights[0], dtype=np.float64)

    def _heights(self, window: Window) -> Float32:
        numbers = self.read([0], window)
        heights = numbers.astype(np.float32)
        if self.handle.nodata is not None:
            heights[numbers == self.handle.nodata] = np.nan
        return heights

    def _require_heights(self) -> None:
        if self.grid.crs is None:
            raise InputError(
                f"no coordinate system in {self.path.name}",
                wanted="heights with coordinates",
                hint="georeference the elevation model, for example with `rio edit-info`",
            )

    def _check_coverage(self, grid: Grid) -> None:
        if grid in self._covers:
            return
        covered = warp.covered_share(grid, self.grid)
        if covered < 1 - 1e-3:
            raise InputError(
                f"{self.path.name} covers {covered:.1%} of the optical scene",
                wanted="heights for all of it",
                hint="give an elevation model that reaches beyond the scene on all sides",
                code=ErrorCode.NO_OVERLAP,
            )
        self._covers.add(grid)


def _sarsen() -> Any:
    """The library.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        for module in ("geocoding", "orbit"):
            importlib.import_module(f"sarsen.{module}")
        return importlib.import_module("sarsen")
    except ImportError as error:
        raise InputError(
            f"--dem without the library that uses it ({error})",
            wanted="sarsen",
            hint="install it with `pip install 'cloudfree[terrain]'`, or leave --dem out",
            code=ErrorCode.MISSING_LIBRARY,
        ) from error
