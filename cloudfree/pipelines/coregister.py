"""`cloudfree coregister`: Sentinel-1 onto the grid of a Sentinel-2 scene."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cloudfree import __version__
from cloudfree.core.progress import Progress
from cloudfree.core.window import strips
from cloudfree.errors import OutputError
from cloudfree.io.cog import CogWriter, refuse_existing
from cloudfree.io.optical import OpticalScene
from cloudfree.io.output_name import beside
from cloudfree.io.radar import Radar, open_radar
from cloudfree.io.sar import sar_profile
from cloudfree.pipelines.gap import MAX_GAP_DAYS, check_gap, gap_tags
from cloudfree.pipelines.registration import Measurement, measure

log = logging.getLogger("cloudfree")

STRIP_ROWS = 512


@dataclass(frozen=True)
class CoregisterOptions:
    """The options of `cloudfree coregister`; names equal its parameters."""

    s1: Path
    s2: Path
    output: Path | None = None
    shift: str = "auto"
    max_shift: float = 8.0
    s1_units: str = "auto"
    dem: Path | None = None
    max_gap: float = MAX_GAP_DAYS
    s2_offset: float | None = None
    dry_run: bool = False
    overwrite: bool = False
    creation_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def result(self) -> Path:
        """Where Sentinel-1 on the optical grid goes."""
        return self.output or beside(self.s1, "coregistered.tif")


@dataclass(frozen=True)
class CoregisterResult:
    """What was measured and written; `shift_px` has the sign of `core.shift.Shift`."""

    output: Path
    shift_px: Mapping[str, float]
    reliability: float
    reliable: bool
    applied: bool
    reason: str
    overlap: float
    s1_units: str
    written: bool

    def summary(self) -> str:
        """A few lines for people."""
        shift = "{row:+.2f} rows, {col:+.2f} columns".format(**self.shift_px)
        done = "" if self.written else "  nothing written (dry run)\n"
        return (
            f"{self.output}\n{done}  shift {shift}: {self.reason}\n"
            f"  Sentinel-1 ({self.s1_units}) covers {self.overlap:.1%} of the scene"
        )


def run(options: CoregisterOptions, progress: Progress) -> CoregisterResult:
    """Write Sentinel-1 on the optical grid, its shift corrected where it is known.

    Raises
    ------
    CloudfreeError
        Scenes that do not meet or cannot be read, or an output that cannot be written.
    """
    _refuse_output(options)
    with (
        open_radar(options.s1, options.s1_units, options.dem) as sar,
        OpticalScene(options.s2, options.s2_offset) as optical,
    ):
        log.info("Sentinel-1 in %s (%s)", sar.units.quantity, sar.units.reason)
        check_gap(sar.acquisition, optical.acquisition, options.max_gap)
        measured = measure(sar, optical, None, options.shift, options.max_shift)
        if not options.dry_run:
            _write(options, sar, optical, measured, progress)
        return _result(options, sar, measured)


def _refuse_output(options: CoregisterOptions) -> None:
    if options.result.resolve() in (options.s1.resolve(), options.s2.resolve()):
        raise OutputError(
            f"{options.result} is an input and the output",
            wanted="a name of its own for the output",
            hint="choose another name with -o",
        )
    if not options.dry_run:
        refuse_existing(options.result, options.overwrite)


def _write(
    options: CoregisterOptions,
    sar: Radar,
    optical: OpticalScene,
    measured: Measurement,
    progress: Progress,
) -> None:
    grid = optical.grid
    profile = sar_profile(_tags(options, sar, optical, measured), options.creation_options)
    windows = strips(grid.height, grid.width, STRIP_ROWS)
    with CogWriter(options.result, grid, profile) as writer:
        for window in progress(windows, -(-grid.height // STRIP_ROWS), "coregister"):
            writer.write(window, sar.on_grid(grid, window, measured.applied_shift))


def _tags(
    options: CoregisterOptions, sar: Radar, optical: OpticalScene, measured: Measurement
) -> dict[str, str]:
    found, applied = measured.shift, measured.applied_shift
    return {
        "CLOUDFREE_VERSION": __version__,
        "CLOUDFREE_S1": options.s1.name,
        "CLOUDFREE_S2": options.s2.name,
        "CLOUDFREE_S1_UNITS": f"{sar.units.quantity} ({sar.units.reason})",
        "CLOUDFREE_SHIFT_PX": f"{applied.row:.3f},{applied.col:.3f}",
        "CLOUDFREE_SHIFT_MEASURED_PX": f"{found.row:.3f},{found.col:.3f}",
        "CLOUDFREE_SHIFT_APPLIED": "yes" if measured.applied else "no",
        "CLOUDFREE_SHIFT_RELIABILITY": f"{measured.reliability:.3f}",
        "CLOUDFREE_SHIFT_REASON": measured.reason,
        **({"CLOUDFREE_DEM": options.dem.name} if options.dem else {}),
        **gap_tags(sar.acquisition, optical.acquisition),
    }


def _result(options: CoregisterOptions, sar: Radar, measured: Measurement) -> CoregisterResult:
    return CoregisterResult(
        output=options.result,
        shift_px={"row": measured.shift.row, "col": measured.shift.col},
        reliability=measured.reliability,
        reliable=measured.reliable,
        applied=measured.applied,
        reason=measured.reason,
        overlap=measured.overlap,
        s1_units=sar.units.quantity,
        written=not options.dry_run,
    )
