"""`cloudfree info PATH`: describe a product and how the other commands would process it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cloudfree.cloudmask.network_detector import NEEDED_BANDS
from cloudfree.cloudmask.score import CIRRUS_BAND
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.grid import Grid, Window
from cloudfree.errors import DamagedError, InputError
from cloudfree.inference.load import find_card
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.raster.warp import extent, pixel_size_m
from cloudfree.sentinel1.grd import GrdScene
from cloudfree.sentinel1.sar_source import SarSource, open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.stand_in_bands import irreplaceable

# Shares are counted on so many windows of this size along each side of a scene.
WINDOW_PX, WINDOWS_PER_SIDE = 256, 4

# What SPECIAL_VALUE_SATURATED of the product metadata is where there is none, S2 PSD-14.9.
SATURATED = 65535

_EMPTY = "refused unless it has data elsewhere: no valid pixel was seen"


@dataclass(frozen=True)
class Place:
    """Extent and resolution of a scene."""

    extent: str
    rows: int
    cols: int
    pixel_m: float | None

    @property
    def text(self) -> str:
        """In words."""
        pixel = f" of {self.pixel_m:.4g} m" if self.pixel_m else ""
        return f"{self.rows} x {self.cols} pixels{pixel}, {self.extent}"


@dataclass(frozen=True)
class OffsetInfo:
    """The radiometric offset, its source, and all the evidence."""

    offset_dn: float
    decided_by: str
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class OpticalInfo:
    """A Sentinel-2 scene; shares of missing and saturated pixels are those of a sample."""

    path: Path
    kind: str
    name: str
    level: str | None
    baseline: str | None
    bands: tuple[str, ...]
    place: Place
    numbers: str
    acquisition: Acquisition
    sun_azimuth_deg: float | None
    offset: OffsetInfo
    nodata: float
    saturated: float
    mask: str
    remove: str

    exit_code = 0

    def summary(self) -> str:
        """A line for each thing."""
        return _lines(
            ("product", f"{self.name}: {self.kind}"),
            ("level", _known(self.level, self.baseline and f"baseline {self.baseline}")),
            ("bands", ", ".join(self.bands)),
            ("grid", self.place.text),
            ("seen", _seen(self.acquisition)),
            ("sun", _degrees(self.sun_azimuth_deg)),
            ("numbers", self.numbers),
            ("offset", f"{self.offset.offset_dn:g} ({self.offset.decided_by}): "
                       f"{self.offset.reason}"),
            *(("", text) for text in self.offset.evidence if len(self.offset.evidence) > 1),
            ("nodata", f"about {self.nodata:.1%}, saturated {self.saturated:.1%}"),
            ("mask", self.mask),
            ("remove", self.remove),
        )  # fmt: skip


@dataclass(frozen=True)
class RadarInfo:
    """A Sentinel-1 scene; the share of missing pixels is that of a sample."""

    path: Path
    kind: str
    bands: tuple[str, ...]
    units: str
    place: Place
    acquisition: Acquisition
    nodata: float

    exit_code = 0

    def summary(self) -> str:
        """A line for each thing."""
        return _lines(
            ("product", f"{self.acquisition.product or self.path.name}: {self.kind}"),
            ("bands", ", ".join(self.bands)),
            ("grid", self.place.text),
            ("seen", _seen(self.acquisition)),
            ("numbers", self.units),
            ("nodata", f"about {self.nodata:.1%}"),
            ("remove", "serves as --s1" + self._without_model),
        )

    @property
    def _without_model(self) -> str:
        missing = [band for band in SAR_BANDS if band not in self.bands]
        return f", without the model: no {missing[0]}" if missing else ""


def product(path: Path, s2_offset: float | None = None) -> OpticalInfo | RadarInfo:
    """The product at a path: Sentinel-2, or else Sentinel-1.

    Raises
    ------
    InputError
        Neither of the two; the message is Sentinel-1's where the name says so, or where it is that
        and damaged.
    """
    try:
        with OpticalScene(path, s2_offset) as scene:
            return _optical(path, scene)
    except InputError as optical_error:
        try:
            with open_sar_source(path) as radar:
                return _radar(path, radar)
        except InputError as radar_error:
            is_radar = path.name.upper().startswith("S1") or isinstance(radar_error, DamagedError)
            raise (radar_error if is_radar else optical_error) from None


def _optical(path: Path, scene: OpticalScene) -> OpticalInfo:
    card = find_card(DEFAULT_MODEL, None).card
    nodata, saturated = _shares(scene)
    offset = scene.offset
    return OpticalInfo(
        path=path,
        kind=scene.product.kind,
        name=scene.name,
        level=scene.level,
        baseline=scene.product.baseline,
        bands=scene.bands,
        place=_place(scene.grid),
        numbers=f"{scene.radiometry.dtype}, reflectance = number x {scene.radiometry.scale:.6g}"
        f" {scene.radiometry.offset:+g}",
        acquisition=scene.acquisition,
        sun_azimuth_deg=scene.sun_azimuth_deg,
        offset=OffsetInfo(offset.offset_dn, offset.source, offset.reason,
                          tuple(f"{one.source}: {one.reason}" for one in offset.evidence)),
        nodata=nodata,
        saturated=saturated,
        mask=_EMPTY if nodata == 1 else _mask(scene),
        remove=_EMPTY if nodata == 1 else _remove(scene, card),
    )  # fmt: skip


def _radar(path: Path, radar: SarSource) -> RadarInfo:
    grid = radar.grid
    parts = [np.isnan(radar.on_grid(grid, window)).any(axis=0) for window in _windows(grid)]
    return RadarInfo(
        path=path,
        kind="Sentinel-1 GRD" if isinstance(radar, GrdScene) else "Sentinel-1, geocoded",
        bands=radar.bands,
        units=f"{radar.units.quantity} ({radar.units.reason})",
        place=_place(grid),
        acquisition=radar.acquisition,
        nodata=float(np.mean([part.mean() for part in parts])),
    )


def _shares(scene: OpticalScene) -> tuple[float, float]:
    """Shares of missing and of saturated pixels among some windows."""
    missing, saturated = [], []
    stated = scene.product.saturated
    largest = SATURATED if stated is None else stated
    for window in _windows(scene.grid):
        numbers = scene.native(window)
        valid = scene.radiometry.valid(numbers)
        missing.append(float((~valid).mean()))
        saturated.append(float(((numbers == largest).any(axis=0) & valid).mean()))
    return float(np.mean(missing)), float(np.mean(saturated))


def _windows(grid: Grid) -> Iterator[Window]:
    """Windows all over a grid."""
    height, width = min(WINDOW_PX, grid.height), min(WINDOW_PX, grid.width)
    for row in _starts(grid.height - height):
        for col in _starts(grid.width - width):
            yield Window(row, col, height, width)


def _starts(last: int) -> list[int]:
    return sorted({round(start) for start in np.linspace(0, last, WINDOWS_PER_SIDE)})


def _place(grid: Grid) -> Place:
    size = pixel_size_m(grid) if grid.crs else None
    return Place(extent(grid), grid.height, grid.width, size)


def _mask(scene: OpticalScene) -> str:
    if missing := [band for band in NEEDED_BANDS if band not in scene.bands]:
        return f"refused: no band {', '.join(missing)}"
    return "yes" if CIRRUS_BAND in scene.bands else "yes, without the cirrus test (no B10)"


def _remove(scene: OpticalScene, card: ModelCard) -> str:
    """How `cloudfree remove` would process it with the default model."""
    if scene.is_picture:
        return f"refused by the default model {card.name}: a picture of 8 bits"
    if lacking := irreplaceable(card.optical_bands, scene.bands):
        return f"refused by the default model {card.name}: no band {', '.join(lacking)}"
    is_other = scene.level and scene.level not in card.levels
    trained = f"{scene.level}, {card.name} was trained on {', '.join(card.levels)}"
    if is_other and card.other_levels == "refuse":
        return f"refused: {trained}"
    missing = [band for band in card.optical_bands if band not in scene.bands]
    stand_in = f"other bands stand in for {', '.join(missing)}" if missing else None
    notes = [note for note in (is_other and trained, stand_in) if note]
    return "; ".join([f"yes, with {card.name} and a Sentinel-1 scene", *notes])


def _seen(seen: Acquisition) -> str:
    when = f"{seen.acquired:%Y-%m-%d %H:%M} UTC" if seen.acquired else None
    orbit = f"orbit {seen.relative_orbit}" if seen.relative_orbit is not None else None
    return _known(when, seen.platform, seen.orbit_direction, orbit)


def _degrees(azimuth_deg: float | None) -> str:
    return "unknown" if azimuth_deg is None else f"{azimuth_deg:.1f} degrees"


def _known(*texts: str | None) -> str:
    return ", ".join(text for text in texts if text) or "unknown"


def _lines(*rows: tuple[str, str]) -> str:
    return "\n".join(f"{head:8} {text}" for head, text in rows)
