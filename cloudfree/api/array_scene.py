"""Scenes, masks and radar in memory, as the commands take them from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from cloudfree.cloudmask.sun_geometry import Sun
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.grid import Grid, Window
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32, Radiometry
from cloudfree.errors import ErrorCode, InputError

# As a file of reflectance in floats has it.
REFLECTANCE = Radiometry("float32", scale=1.0, offset=0.0, nodata=float("nan"))


@dataclass(frozen=True)
class ArrayScene:
    """An optical scene: reflectance, (band, y, x), NaN where there is no data."""

    pixels: Float32
    bands: tuple[str, ...]
    grid: Grid
    sun_azimuth_deg: float | None = None
    name: str = "the optical array"

    @property
    def sun_is_stated(self) -> bool:
        """Arrays have no metadata."""
        return self.sun_azimuth_deg is not None

    @property
    def radiometry(self) -> Radiometry:
        """Its numbers are reflectance."""
        return REFLECTANCE

    @property
    def descriptions(self) -> tuple[str | None, ...]:
        """The names of the bands."""
        return self.bands

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each band stands in the array."""
        return {band: position for position, band in enumerate(self.bands)}

    def reflectance(self, bands: Sequence[str], window: Window) -> Float32:
        """Reflectance of bands of a window, (band, y, x), NaN where there is no data."""
        positions = [self.positions[band] for band in bands]
        return REFLECTANCE.decode(self.pixels[:, *window.slices][positions])

    def native(self, window: Window, out: NDArray[np.generic] | None = None) -> NDArray[np.generic]:
        """A copy of all bands of a window, (band, y, x), in `out` if given."""
        pixels = self.pixels[:, *window.slices]
        if out is None:
            return np.ascontiguousarray(pixels.copy())
        out[...] = pixels
        return out

    def require(self, bands: Sequence[str], purpose: str) -> None:
        """Refuse an array that lacks one of `bands`."""
        if missing := [band for band in bands if band not in self.positions]:
            raise InputError(
                f"no band {', '.join(missing)} in {self.name} ({', '.join(self.bands)})",
                wanted=f"the bands that {purpose} needs: {', '.join(bands)}",
                hint="give an array with these bands, and name them with bands=",
                code=ErrorCode.MISSING_BAND,
            )


@dataclass(frozen=True)
class ArrayMask:
    """The mask of a scene: classes of `MaskClass`, (y, x)."""

    pixels: Mask
    sun: Sun | None = None

    def classes(self, window: Window) -> Mask:
        """Mask classes of a window, (y, x)."""
        return self.pixels[window.slices]

    def counts(self) -> NDArray[np.int64]:
        """Number of pixels of each of the 256 values."""
        return np.bincount(self.pixels.ravel(), minlength=256)


@dataclass(frozen=True)
class ArrayRadar:
    """VV and VH in dB, (2, y, x), on the pixels of the scene, where their shift is corrected."""

    pixels: Float32
    bands: tuple[str, ...] = SAR_BANDS

    def on_grid(self, grid: Grid, window: Window, shift: Displacement = NO_SHIFT) -> Float32:
        """A copy of a window, (2, y, x)."""
        return self.pixels[:, *window.slices].copy()


def optical_array(
    pixels: ArrayLike,
    bands: Sequence[str],
    grid: Grid | None = None,
    sun_azimuth_deg: float | None = None,
) -> ArrayScene:
    """The array with its bands on its grid.

    Raises
    ------
    InputError
        They do not fit each other, or the numbers are no floats.
    """
    array = np.asarray(pixels)
    if not np.issubdtype(array.dtype, np.floating):
        raise refused(f"{array.dtype} numbers in the optical array", "reflectance as floats, 0-1")
    if array.ndim != 3 or len(array) != len(bands):
        raise refused(
            f"an optical array of shape {array.shape} for {len(bands)} bands", "(band, y, x)"
        )
    height, width = array.shape[1:]
    own = grid or Grid(None, Affine.identity(), height, width)
    if (own.height, own.width) != (height, width):
        raise refused(
            f"a grid of {own.height} x {own.width} pixels", f"{height} x {width}, as the array has"
        )
    return ArrayScene(array.astype(np.float32, copy=False), tuple(bands), own, sun_azimuth_deg)


def radar_array(sar: ArrayLike | None, shape: tuple[int, ...]) -> ArrayRadar:
    """VV and VH in dB.

    Raises
    ------
    InputError
        There is none, or it does not lie on the optical pixels, which are of this shape.
    """
    if sar is None:
        raise refused("no SAR array", "VV and VH in dB, which the model needs")
    array = np.asarray(sar, dtype=np.float32)
    if array.shape != (2, *shape):
        raise refused(f"a SAR array of shape {array.shape}", f"VV and VH, {(2, *shape)}")
    return ArrayRadar(array)


def mask_array(mask: ArrayLike, shape: tuple[int, ...]) -> ArrayMask:
    """The classes of a mask.

    Raises
    ------
    InputError
        A class that is none, or they do not lie on the optical pixels, which are of this shape.
    """
    array = np.asarray(mask)
    if array.shape != shape:
        raise refused(f"a mask of shape {array.shape}", f"one class a pixel, {shape}")
    if others := sorted(set(np.unique(array).tolist()) - set(MaskClass)):
        names = ", ".join(f"{value.value} {value.name.lower()}" for value in MaskClass)
        raise refused(f"{others[0]} in the mask", f"classes: {names}")
    return ArrayMask(array.astype(np.uint8, copy=False))


def refused(found: str, wanted: str) -> InputError:
    """What is wrong with an array."""
    return InputError(found, wanted=wanted, hint="see docs/python.md")
