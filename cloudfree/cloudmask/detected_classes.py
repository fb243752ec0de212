"""The classes that a detector finds in a scene, strip by strip."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from cloudfree.cloudmask.classifier import Strip, with_halo
from cloudfree.cloudmask.detection import OnScore, detect
from cloudfree.cloudmask.detector import Detector
from cloudfree.cloudmask.morphology import dilate, dilation_halo_px
from cloudfree.cloudmask.patch_check import PatchCheck
from cloudfree.cloudmask.scene_statistics import (
    OVERVIEW_PX,
    ClassCache,
    OpticalSource,
)
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.cloudmask.shadow_distance import ShadowDistance, fit_distance, mixed_parts
from cloudfree.cloudmask.sun_geometry import SunFit, fit_sun
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.terminal import Progress, silent


@dataclass(frozen=True)
class DetectedClassifier:
    """What a detector finds above a threshold, its shadows confirmed by the clouds, and dilated.

    `projection` is None for a mask without shadows. Ground that only may be shadow is shadow where
    the narrower projection `likeliest` has it. `cached` holds the classes of a scene that has been
    looked at already, not confirmed.
    """

    detector: Detector
    threshold: float
    projection: ShadowProjection | None = None
    likeliest: ShadowProjection | None = None
    cached: ClassCache | None = None
    dilation_px: float = 0.0
    check: PatchCheck | None = None

    def strips(
        self,
        source: OpticalSource,
        progress: Progress = silent,
        on_score: OnScore | None = None,
    ) -> Generator[Strip, None, None]:
        """Windows and their masks from top to bottom.

        `on_score` is given the probability of cloud in each window on the way.
        """
        halo = dilation_halo_px(self.dilation_px)
        thrown = [one.halo_px for one in (self.projection, self.likeliest) if one]
        outer_halo = halo + max(thrown, default=0)
        with closing(self._candidates(source, progress, on_score)) as candidates:
            for window, outer, mask in with_halo(candidates, outer_halo):
                confirmed = self._confirmed(mask)
                dilated = window.buffered(halo, outer.row_stop, outer.width)
                grown = dilate(confirmed[dilated.relative_to(outer)], self.dilation_px)
                yield window, grown[window.relative_to(dilated)]

    def _candidates(
        self, source: OpticalSource, progress: Progress, on_score: OnScore | None
    ) -> Generator[Strip, None, None]:
        if self.cached is None or on_score is not None:
            check = None if self.cached else self.check
            return detect(source, self.detector, self.threshold, progress, on_score, check)
        return _counted(self.cached, progress)

    def _confirmed(self, mask: Mask) -> Mask:
        dark, faint = mask == MaskClass.SHADOW, mask == MaskClass.FAINT_SHADOW
        confirmed = np.where(dark | faint, np.uint8(MaskClass.CLEAR), mask)
        cloud = mask == MaskClass.CLOUD
        if self.projection and (dark.any() or faint.any()) and cloud.any():
            shadow = dark & self.projection.project(cloud)
            if self.likeliest:
                shadow |= faint & self.likeliest.project(cloud)
            confirmed[shadow] = MaskClass.SHADOW
        return confirmed


def _counted(cached: ClassCache, progress: Progress) -> Generator[Strip, None, None]:
    yield from progress(cached.strips(), len(cached), "cloud mask", "strip")


@dataclass
class FirstLook:
    """The classes of a whole scene, and what of them the sun is fitted to."""

    classes: ClassCache = field(default_factory=ClassCache)
    valid_px: int = 0
    _thinned: list[Mask] = field(default_factory=list)
    _step: int = 1

    @classmethod
    def at(cls, source: OpticalSource, strips: Iterable[Strip]) -> FirstLook:
        """Keep the classes of all `strips` of a scene."""
        look = cls()
        look._step = -(-max(source.grid.height, source.grid.width) // OVERVIEW_PX)
        for window, mask in strips:
            look.classes.add(window, mask)
            look.valid_px += int(np.count_nonzero(mask != MaskClass.NODATA))
            look._thinned.append(mask[-window.row % look._step :: look._step, :: look._step].copy())
        return look

    def sun(self, axes: PixelAxes, azimuth_deg: float | None) -> SunFit | None:
        """The sun for which shadows lie where clouds throw them."""
        mask = np.concatenate(self._thinned)
        cloud, dark = mask == MaskClass.CLOUD, mask == MaskClass.SHADOW
        valid = mask != MaskClass.NODATA
        return fit_sun(cloud, dark, valid, axes.every(self._step), azimuth_deg)

    def shadow_distance(self, axes: PixelAxes, azimuth_deg: float) -> ShadowDistance | None:
        """How far from their clouds shadows lie with the sun at an azimuth, None if unknown."""
        parts = mixed_parts(strip for _, strip in self.classes.strips())
        return fit_distance(parts, axes, azimuth_deg)
