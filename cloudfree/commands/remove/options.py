"""What `cloudfree remove` is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cloudfree.coregistration.time_gap import MAX_GAP_DAYS
from cloudfree.inference.compositing import DILATION
from cloudfree.inference.model_store import DEFAULT_MODEL
from cloudfree.sentinel2.product import output_beside
from cloudfree.sentinel2.vrt import Resampling

if TYPE_CHECKING:
    from cloudfree.commands.remove.adapt.run import AdaptationResult


@dataclass(frozen=True, kw_only=True)
class RemovalOptions:
    """How a scene is to be restored, whichever it is."""

    model: str = DEFAULT_MODEL
    network: str | None = None
    replace: str = "clouds"
    dilate: str = DILATION
    adapt: bool = False
    tile: int | None = None
    overlap: int | None = None
    batch: int | None = None
    device: str = "auto"
    precision: str = "auto"
    shift: str = "auto"
    max_shift: float = 8.0
    s1_units: str = "auto"
    dem: Path | None = None
    max_gap: float = MAX_GAP_DAYS
    s2_offset: float | None = None
    resampling: Resampling = "bilinear"
    uncertainty: bool = False
    dry_run: bool = False
    overwrite: bool = False
    creation_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RemoveOptions(RemovalOptions):
    """What the user asked for; field by field the options of the command line."""

    s2: Path
    s1: Path | None = None
    output: Path | None = None
    mask: Path | None = None
    report: Path | None = None

    @property
    def result(self) -> Path:
        """Where the cloud-free scene goes."""
        return self.output or output_beside(self.s2, "cloudfree.tif")

    @property
    def marks(self) -> Path:
        """Where the marks of restored pixels go."""
        return self.result.with_name(f"{self.result.stem}_filled.tif")

    @property
    def deviations(self) -> Path | None:
        """Where the standard deviations of restored pixels go, if they were asked for."""
        name = f"{self.result.stem}_uncertainty.tif"
        return self.result.with_name(name) if self.uncertainty else None


@dataclass(frozen=True)
class RemoveResult:
    """What was done; `restored` and `unseen` are shares of the valid pixels.

    `adaptation` is None where none was asked for.
    """

    output: Path
    filled: Path
    model: str
    runtime: str
    tiles: int
    restored: float | None
    unseen: float | None
    shift_px: Mapping[str, float]
    shift_applied: bool
    shift_reason: str
    written: bool
    uncertainty: Path | None = None
    adaptation: AdaptationResult | None = None

    def summary(self) -> str:
        """A few lines for people."""
        done = "nothing written (dry run)" if self.restored is None else (
            f"{self.restored:.1%} of the pixels restored, marked in {self.filled.name}"
        )  # fmt: skip
        if self.uncertainty and self.restored is not None:
            done += f", their standard deviations in {self.uncertainty.name}"
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.shift_px)
        adapted = f"\n  {self.adaptation.summary()}" if self.adaptation else ""
        return (
            f"{self.output}\n  {done}\n  {self.tiles} tiles, model {self.model}, {self.runtime}\n"
            f"  Sentinel-1 shift {shift}: {self.shift_reason}{adapted}"
        )
