"""Options that several commands share; each default stands here once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cloudfree.core.acquisition import MAX_GAP_DAYS
from cloudfree.core.choices import MAX_REFERENCES, Precision, Resampling, SarUnitsChoice, ShiftMode
from cloudfree.errors import ErrorCode, InputError

# West, south, east, north.
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class AreaOptions:
    """The area to which scenes are cut: `bbox` in degrees of EPSG:4326, or polygons of `aoi`."""

    bbox: Bounds | None = None
    aoi: Path | None = None


@dataclass(frozen=True, kw_only=True)
class ReachOptions:
    """Whether names in inputs may lead out of their folder, to a network, and to any format."""

    allow_remote: bool = False


@dataclass(frozen=True, kw_only=True)
class OpticalOptions(ReachOptions):
    """How a Sentinel-2 product is read; `s2_offset` in digital numbers, None by the metadata."""

    s2_offset: float | None = None
    resampling: Resampling = "bilinear"


@dataclass(frozen=True, kw_only=True)
class SunOptions:
    """Where the sun stands, for a scene whose metadata do not say it or are wrong.

    `sun_azimuth` is in degrees clockwise from north, None for the metadata.
    """

    sun_azimuth: float | None = None


@dataclass(frozen=True, kw_only=True)
class DateOptions:
    """When the scenes were acquired, in UTC; None for the metadata."""

    s1_date: datetime | None = None
    s2_date: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RadarOptions:
    """How Sentinel-1 is put on an optical grid; `max_shift` in pixels, `max_gap` in days."""

    shift: ShiftMode = "auto"
    max_shift: float = 8.0
    s1_units: SarUnitsChoice = "auto"
    dem: Path | None = None
    max_gap: float = MAX_GAP_DAYS


# A smaller share of a scene under Sentinel-1 is a part of it: borders of footprints bend.
WHOLE = 0.9995

# A year and a month: last year's dates of the same season are among them.
MAX_AGE_DAYS = 400.0


@dataclass(frozen=True, kw_only=True)
class ReferenceLimits:
    """Which other dates of a place may be used.

    They lie at most `max_age` days from the scene (None for any age), and without `any_level` have
    the level of the scene, L1C or L2A.

    Raises
    ------
    InputError
        An age out of range.
    """

    max_age: float | None = MAX_AGE_DAYS
    any_level: bool = False

    def __post_init__(self) -> None:
        if self.max_age is not None and not self.max_age > 0:
            raise InputError(
                f"--max-age {self.max_age:g}",
                wanted="a positive number of days",
                hint=f"leave it out for {MAX_AGE_DAYS:g} days",
                code=ErrorCode.BAD_OPTION,
            )


@dataclass(frozen=True, kw_only=True)
class ReferenceOptions(ReferenceLimits):
    """Other dates of the place, which fill what clouds hide.

    `references` and `reference_s1`, their radar, are files, products and folders to search; the
    best `max_references` are used. With `require_references` a scene for which none is left is
    refused. With `of_batch` the references are other scenes of a batch: they are read with the
    options of the scene, and what cannot be used of them is no warning.

    Raises
    ------
    InputError
        A number out of range, or an option of references without any.
    """

    references: tuple[Path, ...] = ()
    reference_s1: tuple[Path, ...] = ()
    max_references: int = 4
    require_references: bool = False
    of_batch: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.max_references <= MAX_REFERENCES:
            raise InputError(
                f"--max-references {self.max_references}",
                wanted=f"1 to {MAX_REFERENCES}",
                hint="4 are enough for most clouds",
                code=ErrorCode.BAD_OPTION,
            )
        if not self.references and (self.reference_s1 or self.require_references):
            option = "--reference-s1" if self.reference_s1 else "--require-references"
            raise InputError(
                f"{option} without --reference",
                wanted="another optical date of the place",
                hint=f"give a file, product or folder with --reference, or leave {option} out",
                code=ErrorCode.BAD_OPTION,
            )


@dataclass(frozen=True, kw_only=True)
class OverwriteOptions:
    """Whether outputs that exist are replaced."""

    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class OutputOptions(OverwriteOptions):
    """How a raster is written."""

    creation_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StyleOptions:
    """Whether scenes, masks and uncertainties get a QGIS style (.qml) beside them."""

    qml: bool = False


@dataclass(frozen=True, kw_only=True)
class ItemOptions:
    """Whether a result gets a STAC item (.json) beside it."""

    stac: bool = False


@dataclass(frozen=True, kw_only=True)
class PluginOptions:
    """Python files with networks from outside the package; they run."""

    plugin: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InferenceOptions(PluginOptions):
    """Where and how exactly a network runs; `network` decides between those a checkpoint fits."""

    network: str | None = None
    device: str = "auto"
    precision: Precision = "auto"
