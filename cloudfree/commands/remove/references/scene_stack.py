"""A scene, its references and their radar in files, as the filling takes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cloudfree.commands.remove.cloudy_scene import MaskedScene
from cloudfree.commands.remove.references.held_rows import KEPT_RADAR_ROWS, HeldRows
from cloudfree.commands.remove.references.reference import Reference
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.displacement import NO_SHIFT, Displacement
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.stack import ReferenceInfo
from cloudfree.sentinel1.sar_source import SarOnGrid


class SceneStack:
    """What is known of a scene's ground, on its grid: a `Stack` over files.

    `sar` is the radar of the scene with its `shift`, None if there is none; of the radar of
    references, the same bands are read. Windows may be read in
    any order; from top to bottom, overlapping rows are read once.
    """

    def __init__(
        self,
        scene: MaskedScene,
        references: Sequence[Reference],
        sar: SarOnGrid | None = None,
        shift: Displacement = NO_SHIFT,
    ) -> None:
        grid = scene.optical.grid
        self.height, self.width = grid.height, grid.width
        self.bands: tuple[str, ...] = scene.optical.bands
        self.references: tuple[ReferenceInfo, ...] = tuple(one.info for one in references)
        self._today = HeldRows(partial(scene.clear, self.bands))
        self._others = [HeldRows(partial(one.ground.clear, one.bands)) for one in references]
        self._radar = _radar_rows(scene, sar, shift, sar.bands if sar else ())
        bands = sar.bands if sar else SAR_BANDS
        self._radars = [
            _radar_rows(scene, one.radar.sar, one.radar.shift, bands) if one.radar else None
            for one in references
        ]

    def today(self, window: Window) -> Float32:
        """Clear pixels of the scene itself."""
        return self._today.read(window)

    def reference(self, number: int, window: Window) -> Float32:
        """Clear pixels of another date, counted from 0, in its own bands."""
        return self._others[number].read(window)

    def radar(self, window: Window) -> Float32 | None:
        """Radar of the scene, None if there is none."""
        return self._radar.read(window) if self._radar else None

    def reference_radar(self, number: int, window: Window) -> Float32 | None:
        """Radar of another date, None if there is none."""
        rows = self._radars[number]
        return rows.read(window) if rows else None


def _radar_rows(
    scene: MaskedScene, sar: SarOnGrid | None, shift: Displacement, bands: tuple[str, ...]
) -> HeldRows | None:
    """Some bands of a radar on the grid of the scene."""
    if sar is None:
        return None
    source, grid = sar, scene.optical.grid
    places = [source.bands.index(band) for band in bands]

    def read(window: Window) -> Float32:
        planes = source.on_grid(grid, window, shift)
        return planes if bands == source.bands else planes[places]

    return HeldRows(read, KEPT_RADAR_ROWS)
