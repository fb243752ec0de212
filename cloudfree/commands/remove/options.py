"""Options and result of `cloudfree remove`."""

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
    """Options that do not depend on the scene."""

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
    """The options of the command line, field by field."""

    s2: Path
    s1: Path | None = None
    output: Path | None = None
    mask: Path | None = None
    report: Path | None = None

    @property
    def result(self) -> Path:
        """Path of the cloud-free scene."""
        return self.output or output_beside(self.s2, "cloudfree.tif")

    @property
    def filled_path(self) -> Path:
        """Path of the mask of filled pixels."""
        return self.result.with_name(f"{self.result.stem}_filled.tif")

    @property
    def uncertainty_path(self) -> Path | None:
        """Path of the standard deviations of filled pixels, None if not requested."""
        name = f"{self.result.stem}_uncertainty.tif"
        return self.result.with_name(name) if self.uncertainty else None


@dataclass(frozen=True)
class RemoveResult:
    """Result of a run; both fractions are of the valid pixels, None in a dry run.

    `unfilled_fraction` is of pixels under the mask that could not be filled. `adaptation` is None
    if not requested.
    """

    output: Path
    filled: Path
    model: str
    runtime: str
    tiles: int
    filled_fraction: float | None
    unfilled_fraction: float | None
    shift_px: Mapping[str, float]
    shift_applied: bool
    shift_reason: str
    written: bool
    uncertainty: Path | None = None
    adaptation: AdaptationResult | None = None

    def summary(self) -> str:
        """A few lines of text."""
        done = "nothing written (dry run)" if self.filled_fraction is None else (
            f"{self.filled_fraction:.1%} of the pixels filled, mask in {self.filled.name}"
        )  # fmt: skip
        if self.uncertainty and self.filled_fraction is not None:
            done += f", their standard deviations in {self.uncertainty.name}"
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.shift_px)
        adapted = f"\n  {self.adaptation.summary()}" if self.adaptation else ""
        return (
            f"{self.output}\n  {done}\n  {self.tiles} tiles, model {self.model}, {self.runtime}\n"
            f"  Sentinel-1 shift {shift}: {self.shift_reason}{adapted}"
        )
