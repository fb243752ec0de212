"""Options and result of `cloudfree coregister`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import (
    AreaOptions,
    DateOptions,
    ItemOptions,
    OpticalOptions,
    OutputOptions,
    RadarOptions,
)
from cloudfree.core.output_files import item_of
from cloudfree.sentinel2.product import output_beside


@dataclass(frozen=True)
class CoregisterOptions(
    OpticalOptions, AreaOptions, RadarOptions, DateOptions, OutputOptions, ItemOptions
):
    """The options of `cloudfree coregister`; names equal its parameters.

    `s1` is one scene, or slices of one pass.
    """

    s1: tuple[Path, ...]
    s2: Path
    output: Path | None = None
    quicklook: Path | None = None
    dry_run: bool = False

    @property
    def result(self) -> Path:
        """The path of Sentinel-1 on the optical grid."""
        return self.output or output_beside(self.s1[0], "coregistered.tif")

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Paths of all files that this run writes."""
        result = None if self.dry_run else self.result
        item = item_of(result) if result and self.stac else None
        return tuple(path for path in (result, item, self.quicklook) if path)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Paths of all inputs."""
        return tuple(path for path in (*self.s1, self.s2, self.dem, self.aoi) if path)


@dataclass(frozen=True)
class CoregisterResult:
    """What was measured and written.

    `shift_px` is the mean over the scene and has the sign of `core.shift.Shift`; `model` is
    translation, affine or field, and `length_px` the largest distance. `residual_px` is the
    residual of the matches used, median and 95th percentile, before and after the correction.
    """

    output: Path
    shift_px: Mapping[str, float]
    model: str
    length_px: float
    matches: int
    matches_used: int
    residual_px: Mapping[str, Mapping[str, float]]
    gate: str
    reliability: float
    reliable: bool
    applied: bool
    reason: str
    overlap: float
    s1_units: str
    written: bool
    quicklook: Path | None = None

    def summary(self) -> str:
        """A few lines of text."""
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.shift_px)
        if self.model != "translation":
            shift += f" in the mean, {self.length_px:.2f} px at most ({self.model})"
        done = "" if self.written else "  nothing written (dry run)\n"
        return (
            f"{self.output}\n{done}  shift {shift}: {self.reason}\n{self._match_summary}"
            f"  Sentinel-1 ({self.s1_units}) covers {self.overlap:.1%} of the scene"
        )

    @property
    def _match_summary(self) -> str:
        if not self.residual_px:
            return ""
        before, after = (
            "{median:.2f} px (95th percentile {p95:.2f})".format(**self.residual_px[name])
            for name in ("before", "after")
        )
        return (
            f"  {self.matches_used} of {self.matches} tie points used; they lie off by {before}, "
            f"and by {after} once corrected\n"
        )
