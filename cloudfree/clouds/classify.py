"""The second pass: the classes of a scene, strip by strip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cloudfree.clouds.cast import ShadowCast
from cloudfree.clouds.classes import ClassRules, bands_to_read, base_classes, confirm_shadows
from cloudfree.clouds.growth import grow, growth_halo_px
from cloudfree.clouds.rolling import Strip, with_halo
from cloudfree.clouds.score import SCORE_HALO_PX, cloud_score
from cloudfree.clouds.shadow import ShadowThresholds
from cloudfree.clouds.survey import STRIP_ROWS, OpticalSource, read_ahead
from cloudfree.core.progress import Progress, silent
from cloudfree.core.units import Float32
from cloudfree.core.window import Window, strips


@dataclass(frozen=True)
class Shadows:
    """How dark a shadow is in this scene, and where clouds can throw one."""

    thresholds: ShadowThresholds
    cast: ShadowCast


@dataclass(frozen=True)
class Classifier:
    """Everything that decides the class of a pixel besides the reflectance around it.

    `shadows` is None where none are wanted; `growth_px` is how far clouds and shadows grow.
    """

    rules: ClassRules
    shadows: Shadows | None = None
    growth_px: float = 0.0

    def strips(
        self,
        source: OpticalSource,
        progress: Progress = silent,
        on_score: Callable[[Window, Float32], None] | None = None,
        strip_rows: int = STRIP_ROWS,
    ) -> Iterator[Strip]:
        """Windows and their masks from top to bottom; the same pixels whatever `strip_rows` is.

        `on_score` is given the score of each window on the way.
        """
        cast_halo = self.shadows.cast.halo_px if self.shadows else 0
        base = self._base(source, progress, on_score, strip_rows)
        for window, outer, mask in with_halo(base, cast_halo + growth_halo_px(self.growth_px)):
            finished = confirm_shadows(mask, self.shadows.cast) if self.shadows else mask
            yield window, grow(finished, self.growth_px)[window.within(outer)]

    def _base(
        self,
        source: OpticalSource,
        progress: Progress,
        on_score: Callable[[Window, Float32], None] | None,
        strip_rows: int,
    ) -> Iterator[Strip]:
        """Classes with every dark pixel a shadow, not grown."""
        height, width = source.grid.height, source.grid.width
        bands = bands_to_read(source.bands)
        thresholds = self.shadows.thresholds if self.shadows else None
        steps = -(-height // strip_rows)
        windows = progress(strips(height, width, strip_rows), steps, "cloud mask")
        for window, planes in read_ahead(source, bands, windows, SCORE_HALO_PX):
            score = cloud_score(planes)
            inner = window.within(window.grown(SCORE_HALO_PX, height, width))
            if on_score is not None:
                on_score(window, score[inner])
            yield window, base_classes(planes, score, self.rules, thresholds)[inner]
