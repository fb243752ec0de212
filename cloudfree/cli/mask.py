"""`cloudfree mask`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    NumberRange,
    RenamingCommand,
    area_options,
    cloudfree_command,
    item_option,
    optical_options,
    option_from,
    output_options,
    style_option,
    sun_option,
)
from cloudfree.commands.mask.options import MaskOptions


@click.command(cls=RenamingCommand)
@click.argument("scene", type=EXISTING_FILE)
@option_from(
    MaskOptions,
    "output",
    "-o",
    type=NEW_FILE,
    help="Mask.  [default: SCENE_mask.tif beside SCENE]",
)
@option_from(
    MaskOptions, "score", type=NEW_FILE, help="Also write the score, 0 clear to 1 cloud, here."
)
@option_from(MaskOptions, "score_dtype", help="Score as floats, or as bytes with scale 1/200.")
@option_from(MaskOptions, "detector", help="What tells clouds from ground.")
@option_from(
    MaskOptions,
    "threshold",
    type=NumberRange(0, 1, min_open=True),
    help="Minimum probability of a cloud, or score.  [default: that of the detector]",
)
@option_from(
    MaskOptions,
    "ndsi",
    type=NumberRange(-1, 1),
    help="Of the published detector: index above which a pixel is no cloud, and snow where bright.",
)
@option_from(
    MaskOptions,
    "sensitive",
    old_names=["--thorough"],
    help="Of the published detector: find small clouds above dark ground, cirrus and haze too.",
)
@option_from(MaskOptions, "shadow", help="Find cloud shadows.")
@option_from(
    MaskOptions,
    "dilate",
    metavar="DISTANCE",
    help="Dilate clouds and shadows by metres (40m) or pixels (4px).",
)
@style_option
@item_option
@area_options
@sun_option
@optical_options
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Mask clouds, their shadows and snow in a Sentinel-2 scene.

    Classes: 0 clear, 1 cloud, 2 shadow, 3 snow, 255 no data.
    """
    from cloudfree.commands.mask.run import run

    return run(MaskOptions(**options), progress)
