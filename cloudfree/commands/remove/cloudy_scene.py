"""A scene, and the mask of what hides its ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import OBSCURED, is_cloud_or_shadow, shows_ground
from cloudfree.core.radiometry import Float32
from cloudfree.inference.compositing import FEATHER_PX, feather
from cloudfree.sentinel2.optical_scene import OpticalScene


@dataclass(frozen=True)
class OriginalRows:
    """Rows of the scene in the file's numbers, (band, y, x), and their opacity, (y, x), 0 to 1.

    `native` is a copy, in which pixels are filled in place.
    """

    native: NDArray[np.generic]
    opacity: Float32


@dataclass(frozen=True)
class CloudyScene:
    """A scene and its mask; without a mask every pixel is filled.

    `feather_px` is the width of the soft edge inside the mask.
    """

    optical: OpticalScene
    mask: MaskFile | None
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
        pixels = self.optical.reflectance(bands, window)
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
