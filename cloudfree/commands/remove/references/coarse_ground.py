"""What a scene hides and other dates show, in pixels so large that many can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.core.grid import Grid, strips
from cloudfree.core.mask_classes import MaskClass, is_cloud_or_shadow, shows_ground
from cloudfree.core.radiometry import Float32
from cloudfree.raster.dataset import reduced, reduced_classes
from cloudfree.raster.warp import nearest, needed_window

# Longest side of a scene: of a full tile each coarse pixel stands for ten by ten.
LOOK_PX = 1098
# Rows of coarse pixels that are read at once.
ROWS_AT_ONCE = 32

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class CoarseGround:
    """Shares of coarse pixels, (y, x), where a scene has data, and where its ground is hidden."""

    grid: Grid
    valid: Float32
    hidden: Float32

    def clear_share(self, clear: Bits) -> float:
        """Share of the ground that is clear."""
        return _share(clear, self.valid)

    def fills_share(self, clear: Bits) -> float:
        """Share of what is hidden that is clear."""
        return _share(clear, self.hidden)


def coarse_ground(scene: CloudyScene) -> CoarseGround:
    """The scene that is filled; without a mask all of it is hidden."""
    fine = scene.optical.grid
    step = -(-max(fine.height, fine.width) // LOOK_PX)
    height, width = -(-fine.height // step), -(-fine.width // step)
    grid = Grid(fine.crs, fine.transform @ fine.transform.scale(step), height, width)
    if scene.mask is None:
        everywhere = np.ones((height, width), dtype=np.float32)
        return CoarseGround(grid, everywhere, everywhere)
    valid, hidden = [], []
    for strip in strips(fine.height, fine.width, step * ROWS_AT_ONCE):
        classes = scene.mask.classes(strip)
        valid.append(_means(classes != MaskClass.NODATA, step))
        hidden.append(_means(is_cloud_or_shadow(classes), step))
    return CoarseGround(grid, np.concatenate(valid), np.concatenate(hidden))


def clear_on(grid: Grid, date: CloudyScene, source: Grid) -> Bits:
    """Where another date shows the ground of a coarse grid, (y, x); its mask lies on `source`."""
    part = needed_window(source, grid)
    if part is None or date.mask is None:
        return np.zeros((grid.height, grid.width), dtype=np.bool_)
    own = reduced(source.crop(part), LOOK_PX)
    classes = reduced_classes(date.mask, own, part)
    return shows_ground(nearest(classes, own, grid, MaskClass.NODATA))


def _means(bits: Bits, step: int) -> Float32:
    """Means of squares of pixels, (y, x); those at the end are filled up with nothing."""
    height, width = (-(-side // step) for side in bits.shape)
    padded = np.zeros((height * step, width * step), dtype=np.bool_)
    padded[: bits.shape[0], : bits.shape[1]] = bits
    squares = padded.reshape(height, step, width, step)
    return np.asarray(squares.mean(axis=(1, 3), dtype=np.float32), dtype=np.float32)


def _share(clear: Bits, of: Float32) -> float:
    whole = float(of.sum(dtype=np.float64))
    return float(of[clear].sum(dtype=np.float64)) / whole if whole else 0.0
