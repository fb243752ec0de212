"""Whether the clouds of a mask look like roofs and sand: small patches over such ground.

A cloud is bright because water droplets and ice scatter all light; in the short-wave infrared they
absorb, so that it is darker there than in the near infrared and seldom brighter than in the blue.
Built-up and bare ground is brightest in the short-wave infrared. Source of the index against the
near infrared: NDBI above zero (Zha, Gao and Ni, Int. J. Remote Sens. 24, 2003).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.score import Planes
from cloudfree.core.grid import Grid, Window
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.raster.warp import pixel_size_m

Where = NDArray[np.bool_]

# Area below which a patch is small: a few blocks of a town, whose roofs grow together in a mask.
# With 5 ha most masks of towns under a clear sky pass; from 50 ha on some of thin cloud over bare
# soil are doubted (docs/experiments.md).
SMALL_HA = 25.0
# Share of the clouds in such patches above which the mask is doubted.
DOUBTED_SHARE = 0.5
# Area of such patches below which it does not matter.
LEAST_HA = 1.0

# Distance of the pixels that are looked at: as fine as the short-wave infrared of Sentinel-2.
SAMPLE_M = 20.0
# Rows of these pixels at a time; a patch on the border of two parts is two patches.
PART_ROWS = 512
# A patch lies on such ground where at least this share of its pixels does.
GROUND_SHARE = 0.5


def built_up_or_bare(planes: Planes) -> Where:
    """Where ground, or what hides it, looks built-up or bare, (y, x); not where data is missing.

    `planes` holds reflectance, (y, x), of B02 and B04, or of B02, B08 and B11. Without the
    short-wave infrared, what is redder than it is blue counts as bare.
    """
    if "B11" not in planes:
        return np.asarray(planes["B04"] > planes["B02"])
    infrared = planes["B11"]
    return np.asarray((infrared > planes["B02"]) & (infrared > planes["B08"]))


def ground_patches_px(cloud: Where, ground: Where, small_px: float) -> int:
    """Pixels of `cloud`, (y, x), in patches of fewer than `small_px` that mostly lie on `ground`.

    Pixels that touch at a corner belong to one patch.
    """
    bits = cloud.view(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(bits, connectivity=8)
    sizes = statistics[:, cv2.CC_STAT_AREA]
    on_ground = np.bincount(labels[cloud & ground], minlength=count)
    chosen = (sizes < small_px) & (on_ground >= GROUND_SHARE * sizes)
    return int(sizes[1:][chosen[1:]].sum())  # label 0 is no cloud


@dataclass
class PatchCheck:
    """Counts the clouds of a mask in strips: all, and those in small patches on such ground.

    Every `step`-th pixel is looked at; one stands for `sample_ha` hectares.
    """

    step: int
    sample_ha: float
    cloud_px: int = 0
    patches_px: int = 0
    _ground: deque[Where] = field(default_factory=deque)
    _part: list[tuple[Where, Where]] = field(default_factory=list)

    @classmethod
    def for_grid(cls, grid: Grid) -> PatchCheck:
        """The check of a scene with this grid."""
        pixel_m = pixel_size_m(grid)
        step = max(round(SAMPLE_M / pixel_m), 1)
        return cls(step, (step * pixel_m) ** 2 / 10_000)

    def add_planes(self, window: Window, planes: Planes) -> None:
        """Look at the reflectance of the next strip, (y, x) by band name."""
        kept = self._kept(window)
        used = ("B02", "B08", "B11") if "B11" in planes else ("B02", "B04")
        thinned = {band: planes[band][kept] for band in used}
        self._ground.append(built_up_or_bare(thinned))

    def add_classes(self, window: Window, mask: Mask) -> None:
        """Count the classes of the next strip, (y, x), not dilated; its planes came before."""
        cloud = np.equal(mask[self._kept(window)], MaskClass.CLOUD)
        self._part.append((cloud, self._ground.popleft()))
        if sum(len(rows) for rows, _ in self._part) >= PART_ROWS:
            self._count()

    def warnings(self) -> tuple[str, ...]:
        """A sentence if most clouds are such patches, or nothing."""
        self._count()
        if self.patches_px * self.sample_ha < LEAST_HA:
            return ()
        share = self.patches_px / self.cloud_px
        if share <= DOUBTED_SHARE:
            return ()
        return (
            f"{share:.0%} of the clouds in the mask are small patches over built-up or bare "
            "ground: they may be roofs or sand; look at the mask, raise --threshold or choose "
            "another --detector of `cloudfree mask`, or give `remove` a --mask of another source",
        )

    def _kept(self, window: Window) -> tuple[slice, slice]:
        return np.s_[-window.row % self.step :: self.step, :: self.step]

    def _count(self) -> None:
        """Count the patches of the rows that wait."""
        if not self._part:
            return
        cloud, ground = (np.concatenate(rows) for rows in zip(*self._part, strict=True))
        self._part.clear()
        if cloud.any():
            self.cloud_px += int(cloud.sum())
            self.patches_px += ground_patches_px(cloud, ground, SMALL_HA / self.sample_ha)
