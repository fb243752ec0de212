"""`cloudfree remove`: a cloudy scene in, a cloud-free georeferenced image out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cloudfree import __version__
from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.companion_files import (
    deviation_writer,
    filled_profile,
    used_mask_writer,
)
from cloudfree.commands.remove.filling import Filling, NetworkFilling, OutputRows, finish
from cloudfree.commands.remove.inputs import check_outputs, open_optical, open_own_mask, open_sar
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.commands.remove.options import RemoveOptions, RemoveResult
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.acquisition import UNKNOWN, gap_days
from cloudfree.core.terminal import Progress
from cloudfree.coregistration.measure import NOT_USED, ShiftMeasurement, measure
from cloudfree.errors import InputError
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import Model
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.inference.uncertainty import Uncertainty
from cloudfree.parallel.threads import write_async
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.gdal import is_virtual
from cloudfree.raster.provenance import Provenance, warning_tags, warnings_from_tags
from cloudfree.sentinel2.optical_scene import OpticalScene

if TYPE_CHECKING:
    from cloudfree.commands.remove.adapt import AdaptationResult

logger = logging.getLogger("cloudfree")

# Finished parts that may wait to be written: those of a row of tiles, so that the next row of tiles
# is read and predicted meanwhile.
WAITING_PARTS = 3

__all__ = ["RemoveOptions", "RemoveResult", "run"]


def run(options: RemoveOptions, progress: Progress) -> RemoveResult:
    """Fill the clouds of a scene and write it.

    Raises
    ------
    CloudfreeError
        Inputs do not fit each other or the model, or an output cannot be written.
    """
    check_outputs(options)
    card = find_card(options.model, options.network).card
    with ExitStack() as stack:
        optical = open_optical(options, card, stack)
        optical.profile({}, options.creation_options).check_creation_options()
        sar = open_sar(options, card, optical, stack)
        plan = _tile_plan(options, optical, card)
        model = load_model(options.model, options.device, options.precision, options.network)
        logger.info("model %s, %s", card.name, model.runtime.description)
        mask = stack.enter_context(_mask(options, optical, progress))
        measurement = NOT_USED
        if sar:
            measurement = measure(sar, optical, mask, options.shift, options.max_shift)
        scene = RemovalScene(optical, mask, sar, model, measurement.applied_shift)
        scene, adapted = _adapted(options, scene, progress)
        if options.uncertainty:
            scene = replace(scene, uncertainty=Uncertainty(scene.model))
        counts = None
        if not options.dry_run:
            batch_size = options.batch_size or scene.model.batch(plan.tile)
            filling = NetworkFilling(scene, plan, batch_size)
            tags = _tags(options, scene, measurement, adapted)
            counts = _write(options, scene, filling, tags, progress)
    if options.report and counts:
        _report(options, progress)
    return _result(options, model, plan, measurement, adapted, counts)


def _adapted(
    options: RemoveOptions, scene: RemovalScene, progress: Progress
) -> tuple[RemovalScene, AdaptationResult | None]:
    """The scene with a model adapted to its clear pixels, if requested."""
    if not options.adapt or options.dry_run:
        return scene, None
    from cloudfree.commands.remove.adapt import adapt_to_scene

    return adapt_to_scene(scene, progress)


@dataclass
class _Counts:
    """Number of pixels so far: with data, to fill, filled; and warnings about all of them."""

    valid: int = 0
    to_fill: int = 0
    filled: int = 0
    warnings: tuple[str, ...] = ()

    def add(self, rows: OutputRows) -> None:
        """Count finished rows."""
        self.valid += int(rows.valid.sum())
        self.to_fill += int(rows.to_fill.sum())
        self.filled += int(rows.filled.sum())


def _tile_plan(options: RemoveOptions, optical: OpticalScene, card: ModelCard) -> TilePlan:
    """The user's tiles or the card's; the default overlap is the card's fraction of the tile."""
    tile = options.tile or card.tile
    overlap = options.overlap
    if overlap is None:
        overlap = card.overlap * tile // card.tile
    return TilePlan(optical.grid.height, optical.grid.width, tile, overlap)


@contextmanager
def _mask(
    options: RemoveOptions, optical: OpticalScene, progress: Progress
) -> Iterator[MaskFile | None]:
    """The user's mask, or one made in a temporary folder; None to fill all pixels."""
    if options.replace == "all":
        yield None
        return
    if options.mask:
        with open_own_mask(options, optical) as mask:
            yield mask
        return
    with made_masks() as masks, masks.open(optical, options.mask_settings, progress) as mask:
        yield mask


def _write(
    options: RemoveOptions,
    scene: CloudyScene,
    filling: Filling,
    tags: Mapping[str, str],
    progress: Progress,
) -> _Counts:
    """Write the result, the mask of filled pixels and the deviations, row by row.

    All files are finished before any is renamed, and the result is renamed last.
    """
    optical, creation = scene.optical, options.creation_options
    profile = optical.profile(tags, creation)
    counts, grid = _Counts(), optical.grid
    with (
        CogWriter(options.result, grid, profile) as result,
        CogWriter(options.filled_path, grid, filled_profile()) as filled,
        used_mask_writer(options.mask_path, scene, creation) as used_mask,
        deviation_writer(
            options.uncertainty_path, optical, filling, tags, creation
        ) as write_deviation,
    ):

        def write(rows: OutputRows) -> None:
            result.write(rows.window, rows.pixels)
            filled.write(rows.window, rows.classes[None])
            used_mask.write(rows.window)
            write_deviation(rows)
            counts.add(rows)

        with filling.rows(progress) as filled_rows:
            finished = (finish(scene, filling.bands, *rows) for rows in filled_rows)
            write_async(write, finished, WAITING_PARTS)
        warnings = _check(counts)
        counts.warnings = (*_mask_warnings(scene.mask), *warnings)
        result.tag(**warning_tags(counts.warnings))
        result.finish()
        filled.finish()
        used_mask.finish()
    for warning in warnings:
        logger.warning(warning)
    return counts


def _mask_warnings(mask: MaskFile | None) -> tuple[str, ...]:
    """What the tags of the mask warn of, which was said when it was made."""
    return warnings_from_tags(mask.handle.tags()) if mask else ()


def _check(counts: _Counts) -> list[str]:
    """Warnings about the result.

    Raises
    ------
    InputError
        No pixel can be filled.
    """
    if not counts.to_fill:
        return ["nothing to fill: the mask has no cloud and no shadow"]
    if not counts.filled:
        raise InputError(
            "no Sentinel-1 pixel over any of the clouds",
            wanted="a Sentinel-1 scene that covers the clouds",
            hint="give another Sentinel-1 scene of the same place",
        )
    unfilled = 1 - counts.filled / counts.to_fill
    warnings = []
    if unfilled:
        warnings.append(f"{unfilled:.1%} of the clouds have no Sentinel-1 and remain")
    if counts.to_fill == counts.valid:
        warnings.append("no clear pixel in the scene: its colours come from the model alone")
    return warnings


def _tags(
    options: RemoveOptions,
    scene: RemovalScene,
    measurement: ShiftMeasurement,
    adapted: AdaptationResult | None,
) -> dict[str, str]:
    """How the result is made; paths are relative to its folder."""
    folder, card, sar = options.result.parent, scene.model.card, scene.sar

    def relative(path: Path | None) -> PurePosixPath | None:
        if path and is_virtual(path):
            return PurePosixPath(path)
        return PurePosixPath(Path(os.path.relpath(path, folder)).as_posix()) if path else None

    deviations, used_mask = options.uncertainty_path, options.mask_path
    gained = adapted if adapted and adapted.adapted else None
    return Provenance(
        version=__version__,
        model=card.name,
        model_sha256=card.weights_sha256,
        model_license=card.license,
        s2=relative(options.s2),
        s1=relative(options.s1) if card.uses_sar else None,
        dem=relative(options.dem),
        mask=relative(scene.mask.origin) if scene.mask else None,
        mask_threshold=options.mask_threshold if options.mask else None,
        mask_dilate=options.dilate if options.mask else None,
        filled=PurePosixPath(options.filled_path.name),
        uncertainty=PurePosixPath(deviations.name) if deviations else None,
        used_mask=PurePosixPath(used_mask.name) if used_mask else None,
        s1_units=f"{sar.units.quantity} ({sar.units.reason})" if sar else None,
        s2_offset=options.s2_offset,
        shift=measurement.applied_shift,
        shift_model=measurement.applied_model,
        shift_reason=measurement.reason,
        s1_acquisition=sar.acquisition if sar else UNKNOWN,
        gap_days=gap_days(sar.acquisition, scene.optical.acquisition) if sar else None,
        adapted=adapted.status if adapted else None,
        adapted_gain_db=gained.gain_db if gained else None,
        adapted_share=gained.share if gained else None,
    ).to_tags()


def _report(options: RemoveOptions, progress: Progress) -> None:
    from cloudfree.commands.report import run as report
    from cloudfree.commands.report.options import ReportOptions

    assert options.report is not None
    report.run(
        ReportOptions((options.result,), options.report, overwrite=options.overwrite),
        progress,
    )


def _result(
    options: RemoveOptions,
    model: Model,
    plan: TilePlan,
    measurement: ShiftMeasurement,
    adapted: AdaptationResult | None,
    counts: _Counts | None,
) -> RemoveResult:
    valid = max(counts.valid, 1) if counts else 1
    return RemoveResult(
        output=options.result,
        filled=options.filled_path,
        model=model.card.name,
        runtime=model.runtime.description,
        tiles=len(plan),
        filled_fraction=counts.filled / valid if counts else None,
        unfilled_fraction=(counts.to_fill - counts.filled) / valid if counts else None,
        shift_px=measurement.shift_px,
        shift_applied=measurement.applied,
        shift_reason=measurement.reason,
        written=counts is not None,
        uncertainty=options.uncertainty_path,
        mask=options.mask_path,
        warnings=counts.warnings if counts else (),
        adaptation=adapted,
    )
