"""GRD products: the calibrated image in ground range, geocoded to the grid of an optical scene."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from typing import Self

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32, Float64, decibel
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster import warp
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.footprint import Footprint
from cloudfree.raster.resample import bilinear
from cloudfree.raster.warp import pixel_size_m
from cloudfree.sentinel1.annotation import (
    Annotation,
    GeolocationGrid,
    read_annotation,
    read_calibration,
    read_noise,
    sigma_nought,
)
from cloudfree.sentinel1.border_noise import BORDER_PX, HALO_PX, border_noise_mask, is_border_noise
from cloudfree.sentinel1.geocoded_files import stack
from cloudfree.sentinel1.geolocation import (
    CoarseHeights,
    Geolocation,
    GridGeolocation,
    Heights,
    ImagePositions,
)
from cloudfree.sentinel1.product import MANIFEST, Product, acquisition_of_name, relative_orbit
from cloudfree.sentinel1.sar_units import SarQuantity

logger = logging.getLogger("cloudfree")

# Side of the blocks in which a grid is processed: the image is rotated against the grid, and the
# part of it that covers a block grows with the block.
BLOCK_PX = 512

# Relief below which the heights of the tie points are good enough.
FLAT_M = 20.0


class GrdScene:
    """VV and VH of a GRD product, or one alone, on any grid.

    They are calibrated, without thermal noise, in dB. `bands` are the polarisations, VV first;
    `units` is auto or dn. With `heights` and a `geolocation` that uses them the relief is
    corrected; without, the tie points of the product are used. `heights` is closed with the scene.
    """

    def __init__(
        self,
        product: Product,
        units: str = "auto",
        geolocation: Geolocation | None = None,
        heights: Heights | None = None,
    ) -> None:
        _check_units(units, product)
        self.bands = product.require_bands()
        annotation = annotation_of(product)
        self.path = product.path
        self.units = SarQuantity("dn", "calibrated to sigma-nought with the tables of the product")
        self.grid = _bounds(annotation)
        self.acquisition = _acquisition(product, annotation)
        self._spacing_m = annotation.range_spacing_m
        self._outline = _outline(annotation.tie_points)
        self._heights = heights
        self._positions = ImagePositions(
            geolocation or GridGeolocation(annotation),
            CoarseHeights(annotation.tie_points),
            heights,
        )
        self._image = GroundRangeImage(product, annotation)
        if heights is None:
            _log_relief(annotation.tie_points)

    def on_grid(self, grid: Grid, window: Window, shift: Displacement = NO_SHIFT) -> Float32:
        """Its bands in dB, (band, y, x), of a window of an optical grid; NaN where there is none.

        One resampling, of calibrated power, `shift` included.

        Raises
        ------
        InputError
            The optical grid has no coordinate system.
        """
        self._require_heights(grid)
        power = np.full((len(self.bands), window.height, window.width), np.nan, np.float32)
        # Image pixels per grid pixel, along each side.
        side = max(int(pixel_size_m(grid) / self._spacing_m + 1e-6), 1)
        for part in _blocks(window, max(BLOCK_PX // side, 1)):
            rows, cols = np.mgrid[part.row : part.row_stop, part.col : part.col_stop].astype(float)
            positions = self._positions.locate(grid, *shift.locate(rows, cols))
            power[:, *part.relative_to(window)] = self._power_at(*positions, side)
        return decibel(power)

    def overlap(self, grid: Grid) -> float:
        """Fraction of an optical grid, 0 to 1, inside the footprint of this scene."""
        return self.footprint(grid).share(grid.window)

    def footprint(self, grid: Grid) -> Footprint:
        """Where this scene lies on an optical grid."""
        self._require_heights(grid)
        lonlat = Grid(self.grid.crs, Affine.identity(), 1, 1)
        return Footprint.within(warp.positions(lonlat, grid, self._outline))

    def close(self) -> None:
        """Close the files."""
        self._image.close()
        if self._heights:
            self._heights.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _power_at(self, line: Float64, pixel: Float64, side: int) -> Float32:
        """Sigma-nought, (band, y, x), at image positions, from means over squares of `side`."""
        window = self._window_around(line, pixel, side)
        if window is None:
            return np.full((len(self.bands), *line.shape), np.nan, np.float32)
        power = self._image.mean_power(window, side)
        # The centre of a square lies between those of its pixels.
        middle = (side - 1) / 2
        rows, cols = (line - window.row - middle) / side, (pixel - window.col - middle) / side
        return bilinear(power, rows, cols)

    def _window_around(self, line: Float64, pixel: Float64, side: int) -> Window | None:
        """Window of whole squares around image positions, None if all lie outside.

        They are counted from the corner of the image, so that means do not depend on the window.
        """
        height, width = self._image.height, self._image.width
        inside = (line > -1) & (line < height) & (pixel > -1) & (pixel < width)
        if not inside.any():
            return None
        positions = line[inside], pixel[inside]
        top, left = (max(int(position.min() // side) - 1, 0) * side for position in positions)
        bottom, right = (
            min((int(position.max() // side) + 2) * side, size)
            for position, size in zip(positions, (height, width), strict=True)
        )
        return Window(top, left, bottom - top, right - left)

    def _require_heights(self, grid: Grid) -> None:
        if grid.crs is None:
            raise InputError(
                f"no coordinate system in the optical scene, and {self.path.name} is a GRD product",
                wanted="an optical scene with coordinates",
                hint="georeference it, for example with gdalwarp",
                code=ErrorCode.WRONG_GRID,
            )


def _check_units(units: str, product: Product) -> None:
    if units not in ("auto", "dn"):
        raise InputError(
            f"--s1-units {units} for the GRD product {product.name}",
            wanted="auto: its digital numbers are calibrated with its own tables",
            hint="leave --s1-units out",
            code=ErrorCode.BAD_OPTION,
        )


def annotation_of(product: Product) -> Annotation:
    """The product annotation of the first polarisation; that of another has the same geometry."""
    name = product.annotation(product.require_bands()[0])
    return read_annotation(product.read(name), name)


def _blocks(window: Window, side: int) -> Iterator[Window]:
    """A window in parts of at most `side` pixels a side."""
    for row in range(window.row, window.row_stop, side):
        for col in range(window.col, window.col_stop, side):
            height, width = min(side, window.row_stop - row), min(side, window.col_stop - col)
            yield Window(row, col, height, width)


def _outline(points: GeolocationGrid) -> Float64:
    """Longitude and latitude of the tie points around the image, (n, 2), in order."""
    line, pixel = points.line, points.pixel
    sides = [
        (line == line.min(), pixel), (pixel == pixel.max(), line),
        (line == line.max(), -pixel), (pixel == pixel.min(), -line),
    ]  # fmt: skip
    order = [np.flatnonzero(on)[np.argsort(along[on])] for on, along in sides]
    around = np.concatenate(order)
    return np.stack([points.longitude[around], points.latitude[around]], axis=1)


def _bounds(annotation: Annotation) -> Grid:
    """Bounding rectangle, in longitude and latitude, of the image, which is rotated within it."""
    points = annotation.tie_points
    middle = points.longitude[len(points.longitude) // 2]
    longitude = (points.longitude - middle + 180) % 360 - 180 + middle
    width, height = np.ptp(longitude), np.ptp(points.latitude)
    transform = Affine(
        width / annotation.width, 0, longitude.min(),
        0, -height / annotation.height, points.latitude.max(),
    )  # fmt: skip
    return Grid(CRS.from_epsg(4326).to_wkt(), transform, annotation.height, annotation.width)


def _acquisition(product: Product, annotation: Annotation) -> Acquisition:
    """Acquisition from the annotation, the manifest and the name of a product."""
    named = acquisition_of_name(product.name) or Acquisition()
    orbit = None
    if MANIFEST in product.names:
        orbit = relative_orbit(product.read(MANIFEST))
    return dataclasses.replace(
        annotation.acquisition,
        product=named.product or product.name,
        relative_orbit=orbit if orbit is not None else named.relative_orbit,
    )


def _log_relief(points: GeolocationGrid) -> None:
    """Log how far pixels may be displaced by uncorrected relief."""
    near, far = (
        100 / np.tan(np.radians(angle))
        for angle in (points.incidence_deg.min(), points.incidence_deg.max())
    )
    low, high = points.height_m.min(), points.height_m.max()
    log = logger.warning if high - low > FLAT_M else logger.info
    log(
        "Sentinel-1 is geocoded by the tie points of the product, whose heights (%.0f to %.0f m) "
        "lie kilometres apart: every 100 m by which the ground differs from them move it by %.0f "
        "to %.0f m; give heights with --dem, or a terrain-corrected product, where there is relief",
        low, high, far, near,
    )  # fmt: skip


class GroundRangeImage(Dataset):
    """A product in ground range: sigma-nought as linear power, thermal noise removed."""

    def __init__(self, product: Product, annotation: Annotation) -> None:
        bands = product.require_bands()
        rasters = [product.gdal_path(product.measurement(band)) for band in bands]
        super().__init__(product.path, stack(rasters, bands))
        self.height, self.width = annotation.height, annotation.width
        with self.closed_on_error():
            self._check_size(product)
            self._gains = [
                read_calibration(product.read(name), name)
                for name in map(product.calibration, bands)
            ]
            self._noises = [
                read_noise(product.read(name), name) for name in map(product.noise, bands)
            ]

    def power(self, window: Window) -> Float32:
        """Sigma-nought of a window, (band, y, x), NaN in border noise and beyond the image."""
        numbers = self.read(list(range(len(self._gains))), window)
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
        """Means of sigma-nought over squares of `side` pixels, (band, y, x); NaN if one is missing.

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
        """Border noise of a window, (y, x), by the power of the first polarisation."""
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
                code=ErrorCode.UNREADABLE,
            )
