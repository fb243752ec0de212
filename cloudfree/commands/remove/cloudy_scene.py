"""A scene, and the mask of what hides its ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.scene_statistics import OpticalSource
from cloudfree.cloudmask.sun_geometry import Sun
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import OBSCURED, Mask, is_cloud_or_shadow, shows_ground
from cloudfree.core.radiometry import Float32, Radiometry
from cloudfree.inference.compositing import FEATHER_PX, feather
from cloudfree.sentinel2.optical_scene import OpticalScene


@dataclass(frozen=True)
class OriginalRows:
    """Rows of the scene in the file's numbers, (band, y, x), and their opacity, (y, x), 0 to 1.

    `native` is a copy, in which pixels are filled in place.
    """

    native: NDArray[np.generic]
    opacity: Float32


class FillSource(OpticalSource, Protocol):
    """A scene that can be filled, such as `sentinel2.optical_scene.OpticalScene`."""

    @property
    def sun_azimuth_deg(self) -> float | None:
        """Azimuth of the sun, clockwise from north; None if unknown."""
        ...

    @property
    def descriptions(self) -> tuple[str | None, ...]:
        """What each band of the scene's own numbers is called."""
        ...

    @property
    def positions(self) -> Mapping[str, int]:
        """Where each band stands in the scene's own numbers."""
        ...

    @property
    def radiometry(self) -> Radiometry:
        """What these numbers mean."""
        ...

    def native(self, window: Window, out: NDArray[np.generic] | None = None) -> NDArray[np.generic]:
        """All bands in the scene's own numbers, (band, y, x): a copy, in `out` if given."""
        ...


class ClassSource(Protocol):
    """The classes of a scene, such as `cloudmask.mask_file.MaskFile`."""

    @property
    def sun(self) -> Sun | None:
        """What decided its shadows, None if unknown."""
        ...

    def classes(self, window: Window) -> Mask:
        """Mask classes of a window, (y, x)."""
        ...

    def counts(self) -> NDArray[np.int64]:
        """Number of pixels of each of the 256 values."""
        ...


@dataclass(frozen=True)
class MaskedScene:
    """A scene and its mask, in files or arrays; without a mask every pixel is filled.

    `feather_px` is the width of the soft edge inside the mask.
    """

    optical: FillSource
    mask: ClassSource | None
    feather_px: int = field(default=FEATHER_PX, kw_only=True)

    def to_fill(self, window: Window) -> NDArray[np.bool_]:
        """Where the mask hides the ground, (y, x)."""
        if self.mask is None:
            return np.ones((window.height, window.width), dtype=np.bool_)
        return is_cloud_or_shadow(self.mask.classes(window))

    @property
    def hides_nothing(self) -> bool:
        """Whether the mask has neither cloud nor shadow."""
        return self.mask is not None and not self.mask.counts()[list(OBSCURED)].any()

    def clear(self, bands: Sequence[str], window: Window) -> Float32:
        """Reflectance, (band, y, x), NaN where the ground is hidden or there is no data."""
        pixels = self.optical.reflectance(tuple(bands), window)
        pixels[:, self._hidden(window)] = np.nan
        return pixels

    def _hidden(self, window: Window) -> NDArray[np.bool_]:
        """Where the ground is hidden, or the mask does not say whether it is."""
        if self.mask is None:
            return np.ones((window.height, window.width), dtype=np.bool_)
        return ~shows_ground(self.mask.classes(window))

    def opacity(self, window: Window) -> Float32:
        """Opacity of the filled pixels, 0 to 1, (y, x)."""
        grid = self.optical.grid
        outer = window.buffered(self.feather_px + 1, grid.height, grid.width)
        return feather(self.to_fill(outer), self.feather_px)[window.relative_to(outer)]

    def original(self, window: Window) -> OriginalRows:
        """Rows of the scene, with their opacity."""
        return OriginalRows(self.optical.native(window), self.opacity(window))


@dataclass(frozen=True)
class CloudyScene(MaskedScene):
    """A scene in files."""

    optical: OpticalScene
    mask: MaskFile | None
