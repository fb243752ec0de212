"""`cloudfree remove`: scene in, cloud-free georeferenced image out."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudfree import __version__
from cloudfree.cloudmask.class_rules import REQUIRED_BANDS
from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.mask_plan import plan_mask, write_mask
from cloudfree.commands.remove.inputs import check_outputs, open_optical, open_sar
from cloudfree.commands.remove.options import RemoveOptions, RemoveResult
from cloudfree.commands.remove.removal_scene import OutputRows, RemovalScene
from cloudfree.commands.remove.uncertainty import deviation_writer
from cloudfree.core.choices import MaskSettings
from cloudfree.core.mask_classes import FILL_COLOURS, FillClass
from cloudfree.core.terminal import Progress
from cloudfree.coregistration.measure import NOT_USED, ShiftMeasurement, measure, shift_tags
from cloudfree.coregistration.time_gap import gap_tags
from cloudfree.errors import InputError
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import Model
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.inference.uncertainty import Uncertainty
from cloudfree.parallel.malloc import limit_malloc_arenas
from cloudfree.parallel.threads import write_async
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.sentinel2.optical_scene import OpticalScene

if TYPE_CHECKING:
    from cloudfree.commands.remove.adapt.run import AdaptationResult

logger = logging.getLogger("cloudfree")

# Finished parts that may wait to be written: those of a row of tiles, so that the tiles of the next
# row are read and run meanwhile.
WAITING_PARTS = 3

__all__ = ["RemoveOptions", "RemoveResult", "run"]


def run(options: RemoveOptions, progress: Progress) -> RemoveResult:
    """Restore a scene and write it.

    Raises
    ------
    CloudfreeError
        Inputs that do not fit each other or the model, or an output that cannot be written.
    """
    limit_malloc_arenas()
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
        scene = RemovalScene(optical, sar, mask, model, measurement.applied_shift)
        scene, adapted = _adapted(options, scene, progress)
        if options.uncertainty:
            scene = replace(scene, uncertainty=Uncertainty(scene.model))
        counts = None
        if not options.dry_run:
            counts = _write(options, scene, plan, measurement, adapted, progress)
    if options.report and counts:
        _report(options, progress)
    return _result(options, model, plan, measurement, adapted, counts)


def _adapted(
    options: RemoveOptions, scene: RemovalScene, progress: Progress
) -> tuple[RemovalScene, AdaptationResult | None]:
    """The scene with a model that has learned its clear ground, if that was asked for."""
    if not options.adapt or options.dry_run:
        return scene, None
    from cloudfree.commands.remove.adapt.run import adapt_to_scene

    return adapt_to_scene(scene, progress)


@dataclass
class _Counts:
    """Pixels so far: with data, to be restored, restored."""

    valid: int = 0
    to_fill: int = 0
    filled: int = 0

    def add(self, rows: OutputRows) -> None:
        """Take in finished rows."""
        self.valid += int(rows.valid.sum())
        self.to_fill += rows.to_fill
        self.filled += int(rows.filled.sum())


def _tile_plan(options: RemoveOptions, optical: OpticalScene, card: ModelCard) -> TilePlan:
    """The user's tiles, or the card's; an overlap that was not asked for keeps the card's share."""
    tile = options.tile or card.tile
    overlap = options.overlap
    if overlap is None:
        overlap = card.overlap * tile // card.tile
    return TilePlan(optical.grid.height, optical.grid.width, tile, overlap)


@contextmanager
def _mask(
    options: RemoveOptions, optical: OpticalScene, progress: Progress
) -> Iterator[MaskFile | None]:
    """The user's mask, or one made in a temporary folder; none where all is to be restored."""
    if options.replace == "all":
        yield None
        return
    if options.mask:
        with MaskFile.from_user(options.mask, optical.grid) as mask:
            yield mask
        return
    if missing := [band for band in REQUIRED_BANDS if band not in optical.bands]:
        raise InputError(
            f"no band {', '.join(missing)} in {optical.name}",
            wanted="the bands of the cloud mask, or a mask",
            hint="give one with --mask, or restore every pixel with --replace all",
        )
    with tempfile.TemporaryDirectory(prefix="cloudfree-") as folder:
        path = Path(folder) / "mask.tif"
        settings = MaskSettings(dilate=options.dilate, sensitive=True)
        write_mask(optical, path, plan_mask(optical, settings, progress), progress, {})
        with MaskFile(path, optical.grid) as mask:
            yield mask


def _write(
    options: RemoveOptions,
    scene: RemovalScene,
    plan: TilePlan,
    measurement: ShiftMeasurement,
    adapted: AdaptationResult | None,
    progress: Progress,
) -> _Counts:
    """Write the result and its companions, row by row.

    All are finished before one has its name, and the result has its own last: where it is, the
    others are.
    """
    tags = _tags(options, scene.model, measurement)
    tags.update(adapted.tags() if adapted else {})
    if scene.sar:
        units = scene.sar.units
        tags["CLOUDFREE_S1_UNITS"] = f"{units.quantity} ({units.reason})"
        tags.update(gap_tags(scene.sar.acquisition, scene.optical.acquisition))
    profile = scene.optical.profile(tags, options.creation_options)
    counts, grid = _Counts(), scene.optical.grid
    with (
        CogWriter(options.result, grid, profile) as result,
        CogWriter(options.marks, grid, _marks_profile()) as marks,
        deviation_writer(
            options.deviations, scene, tags, options.creation_options
        ) as write_deviation,
    ):

        def write(rows: OutputRows) -> None:
            result.write(rows.window, rows.pixels)
            marks.write(rows.window, _marks(rows.filled, rows.valid)[None])
            write_deviation(rows)
            counts.add(rows)

        batch = options.batch_size or scene.model.batch(plan.tile)
        with scene.predictions(plan, batch, progress) as predictions:
            finished = (scene.finished(*predicted) for predicted in predictions)
            write_async(write, finished, WAITING_PARTS)
        warnings = _check(counts)
        result.tag(CLOUDFREE_WARNINGS=" | ".join(warnings))
        result.finish()
        marks.finish()
    for warning in warnings:
        logger.warning(warning)
    return counts


def _check(counts: _Counts) -> list[str]:
    """What the user should know of the result; it is refused if nothing could be restored."""
    if not counts.to_fill:
        return ["nothing to restore: the mask has no cloud and no shadow"]
    if not counts.filled:
        raise InputError(
            "no Sentinel-1 pixel over any of the clouds",
            wanted="a Sentinel-1 scene that covers what is to be restored",
            hint="give another Sentinel-1 scene of the same place",
        )
    left = 1 - counts.filled / counts.to_fill
    warnings = []
    if left:
        warnings.append(f"{left:.1%} of the clouds have no Sentinel-1 and stay as they were")
    if counts.to_fill == counts.valid:
        warnings.append("no clear pixel in the scene: its colours come from the model alone")
    return warnings


def _marks(filled: NDArray[np.bool_], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    marks = np.where(filled, FillClass.RECONSTRUCTED, FillClass.ORIGINAL)
    return np.where(valid, marks, FillClass.NODATA).astype(np.uint8)


def _marks_profile() -> CogProfile:
    return CogProfile(
        dtype="uint8",
        nodata=FillClass.NODATA,
        descriptions=("filled",),
        tags={f"CLASS_{mark.value}": mark.name.lower() for mark in FillClass},
        colours={mark.value: colour for mark, colour in FILL_COLOURS.items()},
        overview_resampling="MODE",
    )


def _tags(options: RemoveOptions, model: Model, measurement: ShiftMeasurement) -> dict[str, str]:
    """Where the result comes from; paths are relative to its folder."""
    folder = options.result.parent

    def relative(path: Path) -> str:
        return Path(os.path.relpath(path, folder)).as_posix()

    tags = {
        "CLOUDFREE_VERSION": __version__,
        "CLOUDFREE_MODEL": model.card.name,
        "CLOUDFREE_MODEL_SHA256": model.card.weights_sha256,
        "CLOUDFREE_MODEL_LICENSE": model.card.license,
        "CLOUDFREE_S2": relative(options.s2),
        "CLOUDFREE_FILLED": options.marks.name,
        **shift_tags(measurement),
    }
    if options.deviations:
        tags["CLOUDFREE_UNCERTAINTY"] = options.deviations.name
    if options.s1 and model.card.uses_sar:
        tags["CLOUDFREE_S1"] = relative(options.s1)
    if options.dem:
        tags["CLOUDFREE_DEM"] = relative(options.dem)
    if options.mask:
        tags["CLOUDFREE_MASK"] = relative(options.mask)
    if options.s2_offset is not None:
        tags["CLOUDFREE_S2_OFFSET"] = f"{options.s2_offset:g}"
    return tags


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
        filled=options.marks,
        model=model.card.name,
        runtime=model.runtime.description,
        tiles=len(plan),
        restored=counts.filled / valid if counts else None,
        unseen=(counts.to_fill - counts.filled) / valid if counts else None,
        shift_px=measurement.shift_px,
        shift_applied=measurement.applied,
        shift_reason=measurement.reason,
        written=counts is not None,
        uncertainty=options.deviations,
        adaptation=adapted,
    )
