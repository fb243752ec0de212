"""The second pass: the classes of a scene, strip by strip."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.class_rules import (
    ClassRules,
    add_haze,
    add_shadows,
    bands_to_read,
    base_classes,
    confirm_shadows,
    resolve_thin_cloud,
)
from cloudfree.cloudmask.morphology import MEDIAN_HALO_PX, dilate, dilation_halo_px
from cloudfree.cloudmask.patch_check import PatchCheck
from cloudfree.cloudmask.scene_statistics import (
    STRIP_ROWS,
    ClassCache,
    OpticalSource,
    read_ahead,
    strips_of,
)
from cloudfree.cloudmask.score import HAZE_BANDS, SCORE_HALO_PX, HazeThreshold, Planes, cloud_score
from cloudfree.cloudmask.shadow import SHADOW_BANDS, ShadowProjection, ShadowThresholds
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, silent

Strip = tuple[Window, Mask]
Value = TypeVar("Value", bound=np.generic)


def with_halo(
    strips: Iterable[tuple[Window, NDArray[Value]]], halo: int
) -> Iterator[tuple[Window, Window, NDArray[Value]]]:
    """Each strip with up to `halo` rows above and below: (window, window with halo, its rows).

    The strips, (y, x) or (band, y, x), are as wide as the raster and come from top to bottom
    without gaps. Only the strips that the halo of one of them needs are kept.
    """
    kept: deque[tuple[Window, NDArray[Value]]] = deque()
    waiting: deque[Window] = deque()
    for window, rows in strips:
        kept.append((window, rows))
        waiting.append(window)
        while waiting and waiting[0].row_stop + halo <= window.row_stop:
            yield _surrounded(waiting.popleft(), kept, halo)
    while waiting:
        yield _surrounded(waiting.popleft(), kept, halo)


def _surrounded(
    window: Window, kept: deque[tuple[Window, NDArray[Value]]], halo: int
) -> tuple[Window, Window, NDArray[Value]]:
    while kept[0][0].row_stop <= window.row - halo:
        kept.popleft()
    outer = window.buffered(halo, kept[-1][0].row_stop, window.width)
    parts = [
        strip[..., max(outer.row - own.row, 0) : max(outer.row_stop - own.row, 0), :]
        for own, strip in kept
    ]
    return window, outer, np.concatenate(parts, axis=-2)


@dataclass(frozen=True)
class Shadows:
    """Thresholds and projection of the shadows of a scene, and its classes without shadows."""

    thresholds: ShadowThresholds
    projection: ShadowProjection
    lit: ClassCache


@dataclass(frozen=True)
class Classifier:
    """Everything that decides the class of a pixel besides the reflectance around it.

    `shadows` is None for a mask without shadows; clouds and shadows are dilated by `dilation_px`;
    cirrus and haze at most `thin_cloud_reach_px` from a cloud are cloud. `haze` is None if unknown.
    `check` is shown every strip before it is dilated.
    """

    rules: ClassRules
    shadows: Shadows | None = None
    dilation_px: float = 0.0
    thin_cloud_reach_px: float = 0.0
    haze: HazeThreshold | None = None
    check: PatchCheck | None = None

    def strips(
        self,
        source: OpticalSource,
        progress: Progress = silent,
        on_score: Callable[[Window, Float32], None] | None = None,
        strip_rows: int = STRIP_ROWS,
    ) -> Generator[Strip, None, None]:
        """Windows and their masks from top to bottom; the same pixels whatever `strip_rows` is.

        `on_score` is given the score of each window on the way.
        """
        cast_halo = self.shadows.projection.halo_px if self.shadows else 0
        halo = max(cast_halo, dilation_halo_px(self.thin_cloud_reach_px)) + dilation_halo_px(
            self.dilation_px
        )
        if self.shadows and on_score is None:
            unresolved = self._add_to_cached(source, self.shadows, progress, strip_rows)
        else:
            unresolved = self._scored(source, progress, on_score, strip_rows)
        with closing(unresolved) as base:
            for window, outer, mask in with_halo(base, halo):
                confirmed = confirm_shadows(mask, self.shadows.projection) if self.shadows else mask
                yield window, self._finish(window, outer, confirmed)

    def _finish(self, window: Window, outer: Window, mask: Mask) -> Mask:
        """A window of a mask of `outer`, thin clouds resolved and classes dilated.

        Each step gets only the rows that the next one needs: distances take long.
        """
        dilated_window = window.buffered(
            dilation_halo_px(self.dilation_px), outer.row_stop, outer.width
        )
        resolved_window = dilated_window.buffered(
            dilation_halo_px(self.thin_cloud_reach_px), outer.row_stop, outer.width
        )
        resolved = resolve_thin_cloud(
            mask[resolved_window.relative_to(outer)], self.thin_cloud_reach_px
        )
        if self.check:
            self.check.add_classes(window, resolved[window.relative_to(resolved_window)])
        dilated = dilate(resolved[dilated_window.relative_to(resolved_window)], self.dilation_px)
        return dilated[window.relative_to(dilated_window)]

    def _scored(
        self,
        source: OpticalSource,
        progress: Progress,
        on_score: Callable[[Window, Float32], None] | None,
        strip_rows: int,
    ) -> Generator[Strip, None, None]:
        """Classes with every dark pixel a shadow, not dilated, from all bands."""
        height, width = source.grid.height, source.grid.width
        windows = strips_of(source, strip_rows, progress, "cloud mask")
        with read_ahead(source, bands_to_read(source.bands), windows, SCORE_HALO_PX) as read:
            for window, planes in read:
                inner = window.relative_to(window.buffered(SCORE_HALO_PX, height, width))
                score = cloud_score(planes, self.rules.sensitive)[inner]
                if on_score is not None:
                    on_score(window, score)
                own = {band: plane[inner] for band, plane in planes.items()}
                mask = base_classes(own, score, self.rules)
                self._add_haze(mask, planes, inner)
                self._show_planes(window, own)
                if self.shadows:
                    add_shadows(mask, self.shadows.thresholds.candidates(planes)[inner])
                yield window, mask

    def _add_to_cached(
        self, source: OpticalSource, shadows: Shadows, progress: Progress, strip_rows: int
    ) -> Generator[Strip, None, None]:
        """The same from cached classes, which takes fewer bands."""
        height, width = source.grid.height, source.grid.width
        windows = strips_of(source, strip_rows, progress, "cloud mask")
        bands = tuple(sorted({*SHADOW_BANDS, *HAZE_BANDS})) if self.haze else SHADOW_BANDS
        with read_ahead(source, bands, windows, MEDIAN_HALO_PX) as read:
            for window, planes in read:
                inner = window.relative_to(window.buffered(MEDIAN_HALO_PX, height, width))
                mask = shadows.lit.read(window)
                self._add_haze(mask, planes, inner)
                self._show_planes(window, {band: plane[inner] for band, plane in planes.items()})
                add_shadows(mask, shadows.thresholds.candidates(planes)[inner])
                yield window, mask

    def _add_haze(self, mask: Mask, planes: Planes, inner: tuple[slice, slice]) -> None:
        if self.haze:
            add_haze(mask, self.haze.hazy(planes)[inner])

    def _show_planes(self, window: Window, planes: Planes) -> None:
        if self.check:
            self.check.add_planes(window, planes)
