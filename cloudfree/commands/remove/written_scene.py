"""Writing a filled scene and its companions, row by row, and what is counted on the way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.audit.finding import Finding, audit_tags
from cloudfree.commands.remove.audit.scene_audit import SceneAudit
from cloudfree.commands.remove.audit.written_file import check_file
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.combined_filling import CombinedFilling
from cloudfree.commands.remove.companion_files import (
    deviation_writer,
    filled_profile,
    used_mask_writer,
)
from cloudfree.commands.remove.filling import FilledRows, Filling, OutputRows, finish
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.result_item import describe_result, item_facts
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError
from cloudfree.parallel.threads import write_async
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.provenance import warning_tags, warnings_from_tags
from cloudfree.raster.qgis_style import with_true_colour

logger = logging.getLogger("cloudfree")

# Finished parts that may wait to be written: those of a row of tiles, so that the next row of tiles
# is read and predicted meanwhile.
WAITING_PARTS = 3


@dataclass
class Counts:
    """Number of pixels so far: with data, to fill, filled, by class; and warnings about all.

    `findings` are those of the audit, which are among the warnings, too.
    """

    valid: int = 0
    to_fill: int = 0
    filled: int = 0
    classes: Counter[int] = field(default_factory=Counter)
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def add(self, rows: OutputRows) -> None:
        """Count finished rows."""
        self.valid += int(rows.valid.sum())
        self.to_fill += int(rows.to_fill.sum())
        self.filled += int(rows.filled.sum())
        numbers = np.bincount(rows.by[rows.filled], minlength=256)
        self.classes.update({int(one): int(numbers[one]) for one in np.flatnonzero(numbers)})

    def share(self, one: FillClass) -> float:
        """Share of a class among the filled pixels."""
        return self.classes[one] / max(self.filled, 1)


def write_scene(
    options: RemoveOptions,
    scene: CloudyScene,
    filling: Filling,
    tags: Callable[[Counts], Mapping[str, str]],
    outputs: OutputSet,
    progress: Progress,
    audit: SceneAudit,
) -> Counts:
    """Write the result, the mask of filled pixels, the deviations and the item, row by row.

    All files are finished and audited before they get their names, at once, those of `outputs`.
    `tags` are those of what is counted so far.

    Raises
    ------
    BrokenResultError
        The result does not pass its audit; nothing is left of it.
    """
    optical, counts = scene.optical, Counts()
    before = tags(counts)
    profile = optical.profile(before, options.creation_options)
    if options.qml:
        profile = with_true_colour(profile)
    filled_to = options.filled_path, optical.grid, filled_profile(options.qml)
    with (
        CogWriter(options.result, optical.grid, profile, outputs) as result,
        CogWriter(*filled_to, outputs) as filled,
        used_mask_writer(options, scene, outputs) as used_mask,
        deviation_writer(options, optical, filling, before, outputs) as write_deviation,
    ):

        def write(rows: OutputRows) -> None:
            result.write(rows.window, rows.pixels)
            filled.write(rows.window, rows.classes[None])
            used_mask.write(rows.window)
            write_deviation(rows)
            counts.add(rows)

        with filling.rows(progress) as filled_rows:
            finished = (_audited(scene, filling.bands, rows, audit) for rows in filled_rows)
            write_async(write, finished, WAITING_PARTS)
        warnings = _judge(counts, scene, filling, audit)
        noted = {**warning_tags(counts.warnings), **audit_tags(counts.findings)}
        result.tag(**tags(counts), **noted)
        result.finish()
        check_file(result.draft, audit.windows, result.is_sparse)
    facts = item_facts(options, optical, tags(counts), _cloud_cover(counts))
    describe_result(options, facts, outputs)
    for warning in warnings:
        logger.warning(warning)
    return counts


def _judge(counts: Counts, scene: CloudyScene, filling: Filling, audit: SceneAudit) -> list[str]:
    """Audit all rows, and note what is found; the warnings that are not logged yet."""
    warnings = _check(counts, filling)
    audit.check()
    counts.findings = audit.findings()
    warnings += [one.message for one in counts.findings]
    counts.warnings = (*_mask_warnings(scene.mask), *warnings)
    return warnings


def _cloud_cover(counts: Counts) -> float:
    """Per cent of the valid pixels that are under cloud or shadow still."""
    return 100 * (counts.to_fill - counts.filled) / max(counts.valid, 1)


def _audited(
    scene: CloudyScene, bands: tuple[str, ...], filled: FilledRows, audit: SceneAudit
) -> OutputRows:
    """Finished rows that the audit has seen."""
    window, fill, original = filled
    before = original.native.copy()  # which is filled in place
    rows = finish(scene, bands, window, fill, original)
    audit.add(before, fill, rows)
    return rows


def _mask_warnings(mask: MaskFile | None) -> tuple[str, ...]:
    """What the tags of the mask warn of, which was said when it was made."""
    return warnings_from_tags(mask.handle.tags()) if mask else ()


def _check(counts: Counts, filling: Filling) -> list[str]:
    """Warnings about the result.

    Raises
    ------
    InputError
        No pixel can be filled.
    """
    if not counts.to_fill:
        return ["nothing to fill: the mask has no cloud and no shadow"]
    if not counts.filled:
        raise _nothing_known(filling)
    unfilled = 1 - counts.filled / counts.to_fill
    by_references = _has_references(filling)
    lacking = "no reference and no Sentinel-1" if by_references else "no Sentinel-1"
    warnings = []
    if unfilled:
        warnings.append(f"{unfilled:.1%} of the clouds have {lacking} and remain")
    if counts.to_fill == counts.valid:
        source = "references as they were seen" if by_references else "model alone"
        warnings.append(f"no clear pixel in the scene: its colours come from the {source}")
    if isinstance(filling, CombinedFilling) and filling.doubt:
        warnings.append(filling.doubt)
    return warnings


def _has_references(filling: Filling) -> bool:
    return isinstance(filling, CombinedFilling) and bool(filling.filler.stack.references)


def _nothing_known(filling: Filling) -> InputError:
    if _has_references(filling):
        return InputError(
            "no reference over any of the clouds, and no clear pixel",
            wanted="a reference that is clear where the scene is not",
            hint="give another date with --reference, or Sentinel-1 with --s1",
            code=ErrorCode.NO_DATA,
        )
    if isinstance(filling, CombinedFilling) and filling.network is None:
        return InputError(
            "no clear pixel in the scene, from which its clouds could be filled",
            wanted="clear ground for --fill-by scene",
            hint="leave --fill-by out, or give another date with --reference",
            code=ErrorCode.NO_DATA,
        )
    return InputError(
        "no Sentinel-1 pixel over any of the clouds",
        wanted="a Sentinel-1 scene that covers the clouds",
        hint="give another Sentinel-1 scene of the same place",
        code=ErrorCode.NO_DATA,
    )
