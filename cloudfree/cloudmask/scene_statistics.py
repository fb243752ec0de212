"""The first pass: statistics of the whole scene that classifying a strip needs."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from cloudfree.cloudmask.class_rules import ClassRules, bands_to_read, base_classes
from cloudfree.cloudmask.score import (
    HAZE_BANDS,
    SCORE_HALO_PX,
    HazeThreshold,
    Planes,
    cloud_score,
    haze_threshold,
)
from cloudfree.cloudmask.shadow import SHADOW_BANDS, PixelAxes, ShadowStatistics, ShadowThresholds
from cloudfree.cloudmask.sun_geometry import SunFit, fit_sun
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.parallel.threads import prefetch

# The fastest level: classes form large areas, which it compresses to a hundredth.
_LEVEL = 1


@dataclass
class ClassCache:
    """The classes of a scene in strips from top to bottom; a full tile takes a few megabytes."""

    _strips: list[tuple[Window, bytes]] = field(default_factory=list)

    def add(self, window: Window, mask: Mask) -> None:
        """Keep the next strip, (y, x)."""
        self._strips.append((window, zlib.compress(mask.tobytes(), _LEVEL)))

    def __len__(self) -> int:
        """Number of strips."""
        return len(self._strips)

    def strips(self) -> Iterator[tuple[Window, Mask]]:
        """The strips as they were added."""
        for window, deflated in self._strips:
            yield window, _inflated(window, deflated)

    def read(self, rows: Window) -> Mask:
        """The classes of a window as wide as the scene, (y, x), free to be written to."""
        strips = [
            (window, deflated)
            for window, deflated in self._strips
            if window.row < rows.row_stop and rows.row < window.row_stop
        ]
        held = np.concatenate([_inflated(*strip) for strip in strips])
        first = strips[0][0].row
        return held[rows.row - first : rows.row_stop - first]


def _inflated(window: Window, deflated: bytes) -> Mask:
    flat = np.frombuffer(zlib.decompress(deflated), dtype=np.uint8)
    return flat.reshape(window.height, window.width)


# Rows at a time: as many as the blocks of a Cloud-Optimized GeoTIFF have.
STRIP_ROWS = 64

# Strips that are read ahead; each of a full tile takes 24 MB.
AHEAD = 4

# Longest side of the thinned-out scene on which the sun and the shadows' distance are fitted, and
# on which clear ground is looked at.
OVERVIEW_PX = 1024
_OVERVIEW_BANDS = tuple(sorted({*SHADOW_BANDS, *HAZE_BANDS}))


class OpticalSource(Protocol):
    """A scene that can be classified, such as `sentinel2.optical_scene.OpticalScene`."""

    @property
    def grid(self) -> Grid:
        """Grid of the pixels."""
        ...

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the available bands."""
        ...

    def reflectance(self, bands: tuple[str, ...], window: Window) -> Float32:
        """Reflectance of bands, (band, y, x), NaN where there is no data."""
        ...


@dataclass(frozen=True)
class SceneStatistics:
    """Thresholds of the shadows of a scene, and the sun fitted to its clouds and dark ground.

    `lit` are its classes without shadows; `haze` is None where too little is clear, or the rules
    are not sensitive.
    """

    valid_px: int
    thresholds: ShadowThresholds
    sun: SunFit | None
    lit: ClassCache
    haze: HazeThreshold | None


def collect_statistics(
    source: OpticalSource,
    rules: ClassRules,
    axes: PixelAxes,
    sun_azimuth_deg: float | None,
    progress: Progress,
    strip_rows: int = STRIP_ROWS,
) -> SceneStatistics:
    """Read a scene once; where the sun's azimuth is known only the shadows' distance is fitted."""
    statistics, overview, lit = ShadowStatistics(), _Overview.for_grid(source.grid), ClassCache()
    windows = strips_of(source, strip_rows, progress, "shadow statistics")
    bands, height, width = bands_to_read(source.bands), source.grid.height, source.grid.width
    with read_ahead(source, bands, windows, SCORE_HALO_PX) as read:
        for window, planes in read:
            inner = window.relative_to(window.buffered(SCORE_HALO_PX, height, width))
            score = cloud_score(planes, rules.sensitive)[inner]
            own = {band: plane[inner] for band, plane in planes.items()}
            mask = base_classes(own, score, rules)
            statistics.add(own)
            overview.add(window, own, mask)
            lit.add(window, mask)
    thresholds = statistics.thresholds()
    sun = overview.fit(thresholds, axes, sun_azimuth_deg)
    haze = overview.haze_threshold() if rules.sensitive else None
    return SceneStatistics(statistics.blue.count, thresholds, sun, lit, haze)


def read_ahead(
    source: OpticalSource,
    bands: tuple[str, ...],
    windows: Iterable[Window],
    halo: int,
    ahead: int = AHEAD,
) -> AbstractContextManager[Iterator[tuple[Window, Planes]]]:
    """Windows with the reflectance by band name of each and of `halo` pixels around it.

    The next `ahead` windows are read on a thread of its own: blocks are decoded eight windows at a
    time.
    """
    height, width = source.grid.height, source.grid.width

    def read(window: Window) -> Planes:
        outer = window.buffered(halo, height, width)
        return dict(zip(bands, source.reflectance(bands, outer), strict=True))

    return prefetch(read, windows, ahead)


def strips_of(source: OpticalSource, rows: int, progress: Progress, what: str) -> Iterator[Window]:
    """Windows as wide as the scene and at most `rows` high, counted by `progress`."""
    height, width = source.grid.height, source.grid.width
    return progress(strips(height, width, rows), -(-height // rows), what, "strip")


@dataclass
class _Overview:
    """Every `step`-th pixel of a scene, so few that they fit into memory whatever its size."""

    step: int
    planes: list[Planes] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)

    @classmethod
    def for_grid(cls, grid: Grid) -> _Overview:
        return cls(step=-(-max(grid.height, grid.width) // OVERVIEW_PX))

    def add(self, window: Window, planes: Planes, mask: Mask) -> None:
        kept = np.s_[-window.row % self.step :: self.step, :: self.step]
        self.planes.append({band: planes[band][kept].copy() for band in _OVERVIEW_BANDS})
        self.masks.append(mask[kept].copy())

    def fit(
        self, thresholds: ShadowThresholds, axes: PixelAxes, azimuth_deg: float | None
    ) -> SunFit | None:
        planes = self._joined()
        # Thinned-out pixels have no neighbours to take a median of.
        dark = thresholds.candidates(planes) if self.step == 1 else thresholds.dark(planes)
        cloud = np.concatenate(self.masks) == MaskClass.CLOUD
        valid = np.isfinite(planes["B02"])
        return fit_sun(cloud, dark, valid, axes.every(self.step), azimuth_deg)

    def haze_threshold(self) -> HazeThreshold | None:
        return haze_threshold(self._joined(), np.concatenate(self.masks) == MaskClass.CLEAR)

    def _joined(self) -> Planes:
        bands = {band: [planes[band] for planes in self.planes] for band in _OVERVIEW_BANDS}
        return {band: np.concatenate(parts) for band, parts in bands.items()}
