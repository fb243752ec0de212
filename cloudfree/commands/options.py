"""Options that several commands share; each default stands here once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cloudfree.core.acquisition import MAX_GAP_DAYS
from cloudfree.core.choices import Precision, Resampling, SarUnitsChoice, ShiftMode


@dataclass(frozen=True, kw_only=True)
class OpticalOptions:
    """How a Sentinel-2 product is read; `s2_offset` in digital numbers, None by the metadata."""

    s2_offset: float | None = None
    resampling: Resampling = "bilinear"


@dataclass(frozen=True, kw_only=True)
class RadarOptions:
    """How Sentinel-1 is put on an optical grid; `max_shift` in pixels, `max_gap` in days."""

    shift: ShiftMode = "auto"
    max_shift: float = 8.0
    s1_units: SarUnitsChoice = "auto"
    dem: Path | None = None
    max_gap: float = MAX_GAP_DAYS


@dataclass(frozen=True, kw_only=True)
class OverwriteOptions:
    """Whether outputs that exist are replaced."""

    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class OutputOptions(OverwriteOptions):
    """How a raster is written."""

    creation_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InferenceOptions:
    """Where and how exactly a network runs; `network` decides between those a checkpoint fits."""

    network: str | None = None
    device: str = "auto"
    precision: Precision = "auto"
