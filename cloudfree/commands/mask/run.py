"""`cloudfree mask`: the mask of a scene, and its score, as files."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from cloudfree.cloudmask.mask_file import ScoreWriter, mask_profile, score_profile
from cloudfree.cloudmask.mask_plan import plan_mask, write_mask
from cloudfree.cloudmask.morphology import parse_distance
from cloudfree.cloudmask.score import CIRRUS_BAND
from cloudfree.commands.area import area_of
from cloudfree.commands.input_files import InputFiles, protect_inputs
from cloudfree.commands.mask.mask_item import check_item, write_item
from cloudfree.commands.mask.options import MaskOptions, MaskResult
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import class_fractions
from cloudfree.core.output_files import folders_of
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import Progress
from cloudfree.raster.cog import CogProfile
from cloudfree.raster.outputs_elsewhere import require_new
from cloudfree.raster.reach import remote_allowed
from cloudfree.sentinel2.optical_scene import OpticalScene


def run(options: MaskOptions, progress: Progress) -> MaskResult:
    """Write the mask of a scene, and its score if a path is given."""
    with remote_allowed(options.allow_remote), folders_of(options.outputs):
        _check_outputs(options)
        _check_creation_options(options)
        parse_distance(options.dilate)  # raises before a file is read
        return _write(options, progress)


def _write(options: MaskOptions, progress: Progress) -> MaskResult:
    area, inputs = area_of(options), InputFiles(options.inputs)
    with OpticalScene(options.scene, options.s2_offset, options.resampling, area) as scene:
        scene.state(sun_azimuth_deg=options.sun_azimuth)
        check_item(options, scene)
        plan = plan_mask(scene, options, progress)
        check = inputs.require_unchanged
        with OutputSet(options.result, options.overwrite, check=check) as outputs:
            with _score_writer(options, scene.grid, outputs) as scores:
                creation = options.creation_options
                counts = write_mask(
                    scene, options.result, plan, progress, creation, scores, options.qml, outputs
                )
            fractions = class_fractions(counts)
            write_item(options, scene, fractions, outputs)
        return MaskResult(
            output=options.result,
            score=options.score,
            fractions=fractions,
            pixels=int(counts.sum()),
            sun_azimuth_deg=plan.sun.azimuth_deg,
            sun_azimuth_origin=plan.sun.origin,
            shadow_distance_m=plan.sun.shadow_distance_m,
            cirrus_test=CIRRUS_BAND in scene.bands,
            warnings=plan.check.warnings(),
        )


def _score_writer(
    options: MaskOptions, grid: Grid, outputs: OutputSet
) -> ScoreWriter | AbstractContextManager[None]:
    if options.score is None:
        return nullcontext()
    return ScoreWriter(options.score, grid, _score_profile(options), outputs)


def _score_profile(options: MaskOptions) -> CogProfile:
    profile = score_profile(options.score_dtype)
    return replace(profile, creation_options=options.creation_options)


def _check_creation_options(options: MaskOptions) -> None:
    """Check that every output can be written with the creation options."""
    profiles = [replace(mask_profile(), creation_options=options.creation_options)]
    for profile in [*profiles, _score_profile(options)] if options.score else profiles:
        profile.check_creation_options()


def _check_outputs(options: MaskOptions) -> None:
    """Check that no output exists, nor is the scene or another output."""
    protect_inputs(options.inputs, options.outputs)
    for path in options.outputs:
        require_new(path, options.overwrite)
