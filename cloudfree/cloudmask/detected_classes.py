"""The classes that a detector finds in a scene, strip by strip."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.classifier import Strip, with_halo
from cloudfree.cloudmask.detector import Detector, of_pixels
from cloudfree.cloudmask.morphology import dilate, dilation_halo_px
from cloudfree.cloudmask.patch_check import PatchCheck
from cloudfree.cloudmask.scene_statistics import (
    OVERVIEW_PX,
    ClassCache,
    OpticalSource,
    read_ahead,
    strips_of,
)
from cloudfree.cloudmask.score import Planes
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.cloudmask.shadow_distance import fit_distance, mixed_parts
from cloudfree.cloudmask.sun_geometry import SunFit, fit_sun
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, silent

# Rows at a time: whole strides of the default detector, and with its halo 13 of them. Of a full
# tile they take 370 MB.
DETECTOR_ROWS = 576
OnScore = Callable[[Window, Float32], None]


@dataclass(frozen=True)
class DetectedClassifier:
    """What a detector finds above a threshold, its shadows confirmed by the clouds, and dilated.

    `projection` is None for a mask without shadows; `cached` holds the classes of a scene that has
    been looked at already, not confirmed.
    """

    detector: Detector
    threshold: float
    projection: ShadowProjection | None = None
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
        outer_halo = halo + (self.projection.halo_px if self.projection else 0)
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
        shadow = np.isin(mask, (MaskClass.SHADOW, MaskClass.FAINT_SHADOW))
        if not shadow.any():
            return mask
        confirmed = np.where(shadow, np.uint8(MaskClass.CLEAR), mask)
        if self.projection:
            thrown = self.projection.project(mask == MaskClass.CLOUD)
            confirmed[shadow & thrown] = MaskClass.SHADOW
        return confirmed


def _counted(cached: ClassCache, progress: Progress) -> Generator[Strip, None, None]:
    yield from progress(cached.strips(), len(cached), "cloud mask", "strip")


def detect(
    source: OpticalSource,
    detector: Detector,
    threshold: float,
    progress: Progress,
    on_score: OnScore | None = None,
    check: PatchCheck | None = None,
) -> Generator[Strip, None, None]:
    """Windows and their classes by the detector alone, from top to bottom.

    `on_score` is given the probability of cloud in each window, `check` its planes and classes.
    """
    height, width = source.grid.height, source.grid.width
    bands, halo = detector.bands(source.bands), detector.halo_px
    windows = strips_of(source, DETECTOR_ROWS, progress, f"cloud detector {detector.name}")
    with read_ahead(source, bands, windows, halo, ahead=1) as read:
        for window, planes in read:
            inner = window.relative_to(window.buffered(halo, height, width))
            mask, score = _detect_window(detector, planes, threshold)
            mask = mask[inner]
            missing = _missing(planes, inner)
            mask[missing] = MaskClass.NODATA
            if check:
                check.add_planes(window, {band: plane[inner] for band, plane in planes.items()})
                check.add_classes(window, mask)
            if on_score is not None:
                on_score(window, np.where(missing, np.float32(np.nan), score[inner]))
            yield window, mask


def _detect_window(detector: Detector, planes: Planes, threshold: float) -> tuple[Mask, Float32]:
    """Classes and probability of cloud, (y, x)."""
    found = detector.probabilities(planes)
    height, width = planes["B02"].shape
    mask = of_pixels(found.classes(threshold), found.cell_px, height, width)
    score = of_pixels(found.cloud + found.thin_cloud, found.cell_px, height, width)
    return mask, score


def _missing(planes: Planes, inner: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Where any band has no data, (y, x) of a window."""
    rows = planes["B02"][inner]
    missing = np.zeros(rows.shape, dtype=np.bool_)
    for plane in planes.values():
        if np.isnan(plane.sum()):  # one pass without an array, as most strips have all data
            missing |= np.isnan(plane[inner])
    return missing


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
        """The sun for which shadows lie where clouds throw them, and how far from them they lie."""
        mask = np.concatenate(self._thinned)
        cloud, dark = mask == MaskClass.CLOUD, mask == MaskClass.SHADOW
        valid = mask != MaskClass.NODATA
        fit = fit_sun(cloud, dark, valid, axes.every(self._step), azimuth_deg)
        if fit is None:
            return None
        parts = mixed_parts(strip for _, strip in self.classes.strips())
        return replace(fit, distance_m=fit_distance(parts, axes, fit.azimuth_deg))
