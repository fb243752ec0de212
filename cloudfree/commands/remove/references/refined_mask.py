"""The mask of a scene, corrected by how its references show the ground."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from cloudfree.cloudmask.dilated_mask import write_dilated
from cloudfree.cloudmask.mask_file import STRIP_ROWS, MaskFile
from cloudfree.cloudmask.morphology import dilation_halo_px
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.cloudmask.sun_geometry import NO_SUN
from cloudfree.cloudmask.temporal_contrast import (
    CONTRAST_BANDS,
    HALO_SQUARES,
    OPTIONAL_BAND,
    REACH_M,
    SQUARE_M,
    Contrast,
    Light,
    agreed,
    confirmed,
    squares,
    with_candidates,
)
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.reference import Reference
from cloudfree.core.drafts import temporary_folder
from cloudfree.core.grid import Window, strips
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.parallel.threads import prefetch
from cloudfree.raster.dataset import spread_windows
from cloudfree.raster.warp import pixel_size_m

# The light is fitted on windows, so many a side, and on so many of their pixels.
WINDOWS, WINDOW_PX, SAMPLE_PX = 8, 256, 200_000
# How many references corrected the mask.
REFERENCES_TAG = "MASK_REFERENCES"


@contextmanager
def refined_mask(
    scene: CloudyScene, references: Sequence[Reference], dilation: str, progress: Progress
) -> Iterator[MaskFile | None]:
    """The mask of a scene with cloud and shadow that references tell, dilated by `dilation`.

    That of `scene` is not dilated. None where the bands, or clear ground, are too few.
    """
    found = _Refinement.of(scene, references)
    if found is None:
        yield None
        return
    with temporary_folder() as folder:
        path = folder / "refined.tif"
        found.write(path, dilation, progress)
        with MaskFile(path, scene.optical.grid, found.mask.sun) as mask:
            yield mask


@dataclass(frozen=True)
class _Refinement:
    """A scene whose mask is corrected; `side` of the squares that are compared, in pixels."""

    scene: CloudyScene
    mask: MaskFile
    bands: tuple[str, ...]
    dates: tuple[tuple[Reference, Light], ...]
    side: int

    @classmethod
    def of(cls, scene: CloudyScene, references: Sequence[Reference]) -> _Refinement | None:
        bands = tuple(band for band in CONTRAST_BANDS if band in scene.optical.bands)
        if scene.mask is None or not {*CONTRAST_BANDS} - {OPTIONAL_BAND} <= {*bands}:
            return None
        dates = [
            (one, light)
            for one in references
            if {*bands} <= {*one.bands} and (light := _light(scene, one, bands))
        ]
        side = max(round(SQUARE_M / pixel_size_m(scene.optical.grid)), 1)
        return cls(scene, scene.mask, bands, tuple(dates), side) if dates else None

    def write(self, path: Path, dilation: str, progress: Progress) -> None:
        """Write the corrected mask, and log how much it changed."""
        grid = self.mask.grid
        windows = progress(
            strips(grid.height, grid.width, STRIP_ROWS),
            -(-grid.height // STRIP_ROWS),
            "mask and references",
            "strip",
        )
        tags = {REFERENCES_TAG: str(len(self.dates))}
        with prefetch(self._marked, windows) as marked:
            write_dilated(
                self.mask, path, dilation, tags, marked, self._confirmed, self._decided_px
            )

    def _marked(self, window: Window) -> Mask:
        """The classes of a strip, with candidates where a cloud is near enough to decide on any."""
        mask, grid = self.mask.classes(window), self.mask.grid
        around = window.buffered(self._decided_px, grid.height, grid.width)
        if not (self.mask.classes(around) == MaskClass.CLOUD).any():
            return mask
        outer = window.buffered(HALO_SQUARES * self.side, grid.height, grid.width)
        today = squares(self.scene.optical.reflectance(self.bands, outer), self.side)
        found = agreed([
            Contrast.of(today, squares(one.ground.clear(self.bands, outer), self.side), light)
            for one, light in self.dates
        ])  # fmt: skip
        return with_candidates(mask, found.of_pixels(self.side, window.relative_to(outer)))

    def _confirmed(self, marked: Mask) -> Mask:
        return confirmed(marked, self._reach_px, self._projection)

    @cached_property
    def _projection(self) -> ShadowProjection:
        """As far as a shadow is looked for: it is known to be dark now, and was not."""
        sun = self.mask.sun or NO_SUN
        if sun.azimuth_deg is None:
            return ShadowProjection()
        return ShadowProjection.away_from_sun(sun.azimuth_deg, PixelAxes.of_grid(self.mask.grid))

    @property
    def _reach_px(self) -> float:
        return REACH_M / pixel_size_m(self.mask.grid)

    @property
    def _decided_px(self) -> int:
        """Rows around a strip whose clouds decide on it."""
        return dilation_halo_px(self._reach_px) + self._projection.halo_px


def _light(scene: CloudyScene, reference: Reference, bands: tuple[str, ...]) -> Light | None:
    """Today's light against that of a reference, by a sample of ground that is clear on both."""
    windows = spread_windows(scene.optical.grid.window, WINDOWS, WINDOW_PX)
    samples = [
        _common(scene.clear(bands, window), reference.ground.clear(bands, window), len(windows))
        for window in windows
    ]
    today, then = (np.concatenate(part, axis=1) for part in zip(*samples, strict=True))
    return Light.fit(today, then)


def _common(today: Float32, then: Float32, windows: int) -> tuple[Float32, Float32]:
    """Pixels, (band, pixel), that both show, no more than the share of one of some windows."""
    places = np.flatnonzero((np.isfinite(today) & np.isfinite(then)).all(axis=0))
    kept = places[:: max(len(places) * windows // SAMPLE_PX, 1)]
    return today.reshape(len(today), -1)[:, kept], then.reshape(len(then), -1)[:, kept]
