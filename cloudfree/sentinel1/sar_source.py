"""Opening Sentinel-1: GRD products and geocoded scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self

from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.footprint import Footprint
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel1.grd import GrdScene
from cloudfree.sentinel1.product import find_product
from cloudfree.sentinel1.sar_units import SarQuantity
from cloudfree.sentinel1.terrain import terrain_scene


class SarOnGrid(Protocol):
    """Sentinel-1 on the grid of an optical scene."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Its polarisations: VV and VH, or one of them."""
        ...

    def on_grid(self, grid: Grid, window: Window, shift: Displacement = NO_SHIFT) -> Float32:
        """Its bands in dB, (band, y, x), of a window of an optical grid; NaN where missing."""
        ...


class SarSource(SarOnGrid, Protocol):
    """Sentinel-1 that can be resampled to the grid of an optical scene.

    `grid` is its bounding grid; an image in ground range is rotated within it.
    """

    path: Path
    grid: Grid
    acquisition: Acquisition

    @property
    def units(self) -> SarQuantity:
        """Quantity of the numbers in the product."""
        ...

    def overlap(self, grid: Grid) -> float:
        """Fraction of an optical grid, 0 to 1, inside the footprint of this scene."""
        ...

    def footprint(self, grid: Grid) -> Footprint:
        """Where this scene lies on an optical grid."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_sar_source(path: Path, units: str = "auto", dem: Path | None = None) -> SarSource:
    """Open a GRD product (folder, zip, manifest or measurement) or a geocoded scene.

    Heights in `dem` correct a GRD product for the relief; a geocoded scene needs none.

    Raises
    ------
    InputError
        The path is no usable Sentinel-1 scene.
    """
    product = find_product(path)
    if product and dem:
        return terrain_scene(product, units, dem)
    if product:
        return GrdScene(product, units)
    if dem:
        raise InputError(
            f"--dem {dem.name} for {path.name}, which is geocoded already",
            wanted="a GRD product to correct for the relief",
            hint="leave --dem out, or give the GRD product",
            code=ErrorCode.BAD_OPTION,
        )
    return SarScene(path, units)


def require_both(sar: SarSource, user: str) -> None:
    """Refuse a scene of one polarisation for a `user`, such as a model, that takes VV and VH.

    Raises
    ------
    InputError
        One of them is missing.
    """
    if sar.bands != SAR_BANDS:
        raise InputError(
            f"{' and '.join(sar.bands)} alone in {sar.path.name}",
            wanted=f"VV and VH, which {user} needs",
            hint="give a Sentinel-1 scene with both, in one file or in two that differ by VV and "
            "VH in their names",
            code=ErrorCode.MISSING_BAND,
        )
