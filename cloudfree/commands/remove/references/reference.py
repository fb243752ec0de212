"""Other dates of a scene that are used, and those that are left out, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.date_on_grid import DateOnGrid
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.displacement import Displacement, Shift
from cloudfree.gapfilling.stack import ReferenceInfo
from cloudfree.raster.gdal import relative_to
from cloudfree.raster.used_reference import UsedReference
from cloudfree.sentinel1.sar_source import SarSource


@dataclass(frozen=True)
class ReferenceRadar:
    """Sentinel-1 of the time of a reference, and its shift on the grid of the scene."""

    sar: SarSource
    shift: Displacement


@dataclass(frozen=True)
class Reference:
    """Another date of the place on the grid of the scene.

    `number` counts from 1, as classes and tags do. `bands` are those that it shares with the scene,
    in the order of the scene; `days` counts from the scene, negative for earlier dates, None if
    unknown. `clear_share` is the share of the scene's ground that it shows, and `fills_share` that
    of what is hidden there.
    """

    number: int
    path: Path
    ground: DateOnGrid
    bands: tuple[str, ...]
    acquisition: Acquisition
    days: float | None
    shift_reason: str
    clear_share: float
    fills_share: float
    radar: ReferenceRadar | None = None

    @property
    def scene(self) -> CloudyScene:
        """The scene of that date, with its mask."""
        return self.ground.date

    @property
    def mask(self) -> MaskFile:
        """The mask of that date, on its own grid."""
        assert self.scene.mask is not None
        return self.scene.mask

    @property
    def name(self) -> str:
        """Name of the product or file."""
        return self.scene.optical.name

    @property
    def shift(self) -> Shift:
        """Where it shows what the scene shows, in pixels of the scene."""
        return self.ground.shift

    def used(self, folder: Path, error: float | None, share: float | None) -> UsedReference:
        """What a result in a folder tells of it: its error, and the share that it filled."""
        path = relative_to(folder, self.path)
        assert path is not None
        return UsedReference(
            path=path,
            acquired=self.acquisition.acquired,
            days=self.days,
            shift=self.shift,
            shift_reason=self.shift_reason,
            shows=self.fills_share,
            share=share,
            error=error,
            with_radar=self.radar is not None,
        )

    @property
    def info(self) -> ReferenceInfo:
        """What the filling knows of it."""
        return ReferenceInfo(self.name, self.bands, self.days)


@dataclass(frozen=True)
class LeftOut:
    """A path that is not used, and why; `named` if the user named it, and no folder around it."""

    path: Path
    reason: str
    named: bool = True


@dataclass(frozen=True)
class ChosenReferences:
    """The references, the best first, and all that is left out."""

    references: tuple[Reference, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
