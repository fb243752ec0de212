"""`cloudfree remove`, and the options that it shares with `batch`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    EXISTING_MASK,
    NEW_FILE,
    Command,
    NumberRange,
    RenamingCommand,
    area_options,
    cloudfree_command,
    date_options,
    inference_options,
    item_option,
    optical_options,
    option_from,
    output_options,
    radar_options,
    style_option,
    sun_option,
)
from cloudfree.commands.options import ReferenceLimits
from cloudfree.commands.remove.options import RemovalOptions, RemoveOptions
from cloudfree.core.choices import MAX_REFERENCES

_OPTIONS = (
    option_from(
        RemovalOptions, "model", help="Name or folder of a model, checkpoint or ONNX file."
    ),
    option_from(
        RemovalOptions,
        "network",
        metavar="NAME",
        help="Network of a bare checkpoint that fits several.",
    ),
    option_from(RemovalOptions, "replace", help="Fill clouds and shadows only, or every pixel."),
    option_from(
        RemovalOptions,
        "fill_by",
        help="What fills clouds: all that is known (auto), the model alone, or all but the model.",
    ),
    option_from(
        RemovalOptions,
        "mask",
        type=EXISTING_MASK,
        metavar="FILE|scl",
        help="Mask, SCL or cloud probabilities; scl is the SCL of the product.  "
        "[default: made here]",
    ),
    option_from(
        RemovalOptions,
        "mask_threshold",
        type=NumberRange(0, 1),
        metavar="P",
        help="Minimum cloud probability in --mask.  [default: 0.4 for floats]",
    ),
    option_from(
        RemovalOptions,
        "detector",
        help="What tells clouds from ground in the mask that is made without --mask.",
    ),
    option_from(
        RemovalOptions,
        "dilate",
        metavar="LENGTH",
        help="Dilate the mask, in metres (40m) or pixels (4px).  [default: 40m, and 0 with --mask]",
    ),
    option_from(
        RemovalOptions,
        "adapt",
        help="Adapt the model to the clear ground of the scene first; takes seconds.",
    ),
    option_from(
        RemovalOptions,
        "tile",
        type=click.IntRange(16),
        help="Side of a tile in pixels.  [default: card]",
    ),
    option_from(
        RemovalOptions,
        "overlap",
        type=click.IntRange(0),
        help="Overlap of tiles in pixels.  [default: card]",
    ),
    option_from(
        RemovalOptions,
        "batch_size",
        type=click.IntRange(1),
        metavar="N",
        old_names=["--batch"],
        help="Tiles per batch.  [default: 1 on a CPU, 0.5 megapixels on a GPU]",
    ),
    inference_options,
    option_from(
        RemovalOptions,
        "uncertainty",
        help="Also write the standard deviation of each band; can take eight times as long.",
    ),
    option_from(RemovalOptions, "write_mask", help="Also write the mask that is used here."),
    style_option,
    item_option,
    option_from(RemovalOptions, "dry_run", help="Check everything and write nothing."),
    area_options,
    optical_options,
    radar_options,
    output_options,
)


def removal_options(command: Command) -> Command:
    """Options of `remove` that do not depend on the scene."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def reference_limits(command: Command) -> Command:
    """Which other dates may be used."""
    for option in (
        option_from(
            ReferenceLimits,
            "any_level",
            help="Also take references of the other level, L1C or L2A.",
        ),
        option_from(
            ReferenceLimits,
            "max_age",
            metavar="DAYS",
            help="Longest time between a reference and the scene.",
        ),
    ):
        command = option(command)
    return command


_REFERENCES = (
    option_from(
        RemoveOptions,
        "references",
        type=EXISTING_FILE,
        flag="--reference",
        help="Other date of the place, or a folder of scenes to choose from; repeatable.",
    ),
    option_from(
        RemoveOptions,
        "reference_s1",
        type=EXISTING_FILE,
        help="Sentinel-1 of the time of a reference, or a folder; repeatable.",
    ),
    option_from(
        RemoveOptions,
        "max_references",
        type=click.IntRange(1, MAX_REFERENCES),
        metavar="N",
        help="References that are used at most.",
    ),
    option_from(
        RemoveOptions,
        "require_references",
        help="Refuse a scene for which no reference can be used.",
    ),
    reference_limits,
)


def reference_options(command: Command) -> Command:
    """Options of other dates of the place."""
    for option in reversed(_REFERENCES):
        command = option(command)
    return command


@click.command(cls=RenamingCommand, epilog="Example: cloudfree remove --s1 vv_vh.tif --s2 l1c.tif")
@option_from(
    RemoveOptions,
    "s1",
    type=EXISTING_FILE,
    help="Sentinel-1 scene: file, folder or product; repeatable for slices of one pass.",
)
@option_from(RemoveOptions, "s2", type=EXISTING_FILE, help="Cloudy Sentinel-2 scene.")
@option_from(
    RemoveOptions, "output", "-o", type=NEW_FILE, help="Result.  [default: S2_cloudfree.tif]"
)
@option_from(
    RemoveOptions, "report", type=NEW_FILE, metavar="OUT.html", help="Also write a report."
)
@option_from(RemoveOptions, "strict", help="Exit with 5 if the audit of the result doubts it.")
@date_options
@sun_option
@reference_options
@removal_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Fill pixels under clouds and their shadows; keep every other pixel.

    Masks the scene, puts Sentinel-1 on its grid, runs the model tile by tile and writes a
    Cloud-Optimized GeoTIFF like the input, with a second one that maps the filled pixels. With
    --reference other dates show what clouds hide, and the model fills what none of them shows.

    The result is audited before it gets its name: a broken one is not written (exit code 4), a
    doubtful one is, with a warning.
    """
    from cloudfree.commands.remove.run import run
    from cloudfree.parallel.environment import limit_malloc_arenas

    limit_malloc_arenas()
    return run(RemoveOptions(**options), progress)
