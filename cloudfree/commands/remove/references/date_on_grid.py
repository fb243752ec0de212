"""The clear ground of another date on the grid of the scene, in one resampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.at_positions import AtPositions, positions_in
from cloudfree.commands.remove.references.at_translation import AtTranslation, translation
from cloudfree.commands.remove.references.clear_sampling import sample_clear
from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32
from cloudfree.raster.resample import sample_displaced
from cloudfree.raster.warp import reduction, same_grid

# Columns that are sampled at once: OpenCV takes images of up to 32767 pixels, and less memory is
# used.
COLUMNS_AT_ONCE = 4096


@dataclass(frozen=True)
class DateOnGrid:
    """Another date of the place on the pixels of a scene.

    `source` is its own grid, as `placed` gives it, and `shift` where it shows what the scene shows.
    """

    date: CloudyScene
    source: Grid
    grid: Grid
    shift: Shift = NO_SHIFT

    def moved(self, shift: Shift) -> DateOnGrid:
        """The same date with another shift."""
        return replace(self, shift=shift)

    def clear(self, bands: Sequence[str], window: Window) -> Float32:
        """Reflectance, (band, y, x), NaN where the ground is hidden or there is no data.

        On the same grid and without a shift the pixels are unchanged.
        """
        if self.shift == NO_SHIFT and same_grid(self.source, self.grid):
            return self.date.clear(bands, window)
        scale = reduction(self.source, self.grid)
        if min(scale) < 1:
            return sample_displaced(
                lambda part: self.date.clear(bands, part),
                self.source, self.grid, window, self.shift, scale,
            )  # fmt: skip
        parts = [self._sampled(bands, part) for part in _columns(window)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _sampled(self, bands: Sequence[str], window: Window) -> Float32:
        places = self._places(window)
        part = places.window(self.source)
        if part is None:
            return np.full((len(bands), window.height, window.width), np.nan, dtype=np.float32)
        return sample_clear(self.date.clear(bands, part), places.within(part))

    def _places(self, window: Window) -> AtTranslation | AtPositions:
        """Where the other date shows a window of the scene, in pixels of its own grid."""
        target = self.grid.shifted(self.shift.row, self.shift.col).crop(window)
        if first := translation(self.source, target):
            return AtTranslation(*first, window.height, window.width)
        return positions_in(self.source, target)


def _columns(window: Window) -> list[Window]:
    """The window in parts side by side."""
    return [
        Window(window.row, col, window.height, min(COLUMNS_AT_ONCE, window.col_stop - col))
        for col in range(window.col, window.col_stop, COLUMNS_AT_ONCE)
    ]
