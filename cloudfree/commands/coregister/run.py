"""`cloudfree coregister`: Sentinel-1 onto the grid of a Sentinel-2 scene."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath

from cloudfree import __version__
from cloudfree.commands.area import area_of
from cloudfree.commands.coregister.options import CoregisterOptions, CoregisterResult
from cloudfree.commands.coregister.quicklook import write_quicklook
from cloudfree.commands.coregister.radar_item import check_item, write_item
from cloudfree.commands.input_files import InputFiles, protect_inputs
from cloudfree.commands.swapped_scenes import swaps_refused
from cloudfree.core.acquisition import check_gap, gap_days, stated
from cloudfree.core.displacement import mean_shift
from cloudfree.core.grid import strips
from cloudfree.core.output_files import folders_of
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import Progress
from cloudfree.coregistration.measure import ShiftMeasurement, measure
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.outputs_elsewhere import require_new
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.reach import remote_allowed
from cloudfree.sentinel1.geocoded import sar_profile
from cloudfree.sentinel1.mosaic import open_sar_sources
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

logger = logging.getLogger("cloudfree")

STRIP_ROWS = 512


def run(options: CoregisterOptions, progress: Progress) -> CoregisterResult:
    """Write Sentinel-1 on the optical grid, its shift corrected where it is known.

    Raises
    ------
    CloudfreeError
        Scenes that do not meet or cannot be read, or an output that cannot be written.
    """
    with (
        remote_allowed(options.allow_remote),
        folders_of(options.outputs),
        swaps_refused(options.s1, options.s2),
    ):
        _check_output(options)
        sar_profile({}, options.creation_options).check_creation_options()
        return _measure_and_write(options, progress)


def _measure_and_write(options: CoregisterOptions, progress: Progress) -> CoregisterResult:
    area, inputs = area_of(options), InputFiles(options.inputs)
    with (
        open_sar_sources(options.s1, options.s1_units, options.dem) as sar,
        OpticalScene(options.s2, options.s2_offset, options.resampling, area) as optical,
    ):
        logger.info("Sentinel-1 in %s (%s)", sar.units.quantity, sar.units.reason)
        optical.state(options.s2_date)
        sar.acquisition = stated(sar.acquisition, options.s1_date, "--s1-date")
        check_item(options, sar)
        check_gap(sar.acquisition, optical.acquisition, options.max_gap)
        measured = measure(sar, optical, None, options.shift, options.max_shift)
        with OutputSet(
            options.result, options.overwrite, check=inputs.require_unchanged
        ) as outputs:
            if options.quicklook:
                write_quicklook(options.quicklook, optical, measured, outputs)
            if not options.dry_run:
                _write(options, sar, optical, measured, outputs, progress)
                write_item(options, sar, outputs)
        return _result(options, sar, measured)


def _check_output(options: CoregisterOptions) -> None:
    protect_inputs(options.inputs, dict.fromkeys((options.result, *options.outputs)))
    for path in options.outputs:
        require_new(path, options.overwrite)


def _write(
    options: CoregisterOptions,
    sar: SarSource,
    optical: OpticalScene,
    measured: ShiftMeasurement,
    outputs: OutputSet,
    progress: Progress,
) -> None:
    grid = optical.grid
    tags = _provenance(options, sar, optical, measured).to_tags()
    profile = sar_profile(tags, options.creation_options, sar.bands)
    windows = strips(grid.height, grid.width, STRIP_ROWS)
    with CogWriter(options.result, grid, profile, outputs) as writer:
        for window in progress(windows, -(-grid.height // STRIP_ROWS), "coregister", "strip"):
            writer.write(window, sar.on_grid(grid, window, measured.applied_shift))


def _provenance(
    options: CoregisterOptions, sar: SarSource, optical: OpticalScene, measured: ShiftMeasurement
) -> Provenance:
    return Provenance(
        version=__version__,
        s1=PurePosixPath(options.s1[0].name),
        s1_slices=tuple(PurePosixPath(path.name) for path in options.s1[1:]),
        s2=PurePosixPath(options.s2.name),
        s1_units=f"{sar.units.quantity} ({sar.units.reason})",
        shift=measured.applied_shift,
        shift_model=measured.applied_model,
        shift_reason=measured.reason,
        shift_measured=mean_shift(measured.shift),
        shift_applied=measured.applied,
        shift_reliability=measured.reliability,
        s1_acquisition=sar.acquisition,
        gap_days=gap_days(sar.acquisition, optical.acquisition),
    )


def _result(
    options: CoregisterOptions, sar: SarSource, measured: ShiftMeasurement
) -> CoregisterResult:
    return CoregisterResult(
        output=options.result,
        shift_px=measured.shift_px,
        model=measured.model,
        length_px=measured.shift.length,
        matches=measured.tie_points_found,
        matches_used=measured.tie_points_used,
        residual_px=measured.residual_px,
        gate=measured.gate,
        reliability=measured.reliability,
        reliable=measured.reliable,
        applied=measured.applied,
        reason=measured.reason,
        overlap=measured.overlap,
        s1_units=sar.units.quantity,
        written=not options.dry_run,
        quicklook=options.quicklook,
    )
