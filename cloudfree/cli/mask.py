"""`cloudfree mask`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    NumberRange,
    cloudfree_command,
    optical_options,
    output_options,
)


@click.command()
@click.argument("scene", type=EXISTING_FILE)
@click.option("-o", "--output", type=NEW_FILE, help="Mask.  [default: SCENE_mask.tif beside SCENE]")
@click.option("--score", type=NEW_FILE, help="Write the score, 0 clear to 1 cloud, here as well.")
@click.option(
    "--score-dtype",
    type=click.Choice(["float32", "uint8"]),
    default="float32",
    show_default=True,
    help="Score as it is, or as bytes with scale 1/200.",
)
@click.option(
    "--threshold",
    type=NumberRange(0, 1, min_open=True),
    default=0.2,
    show_default=True,
    help="Least score of a cloud.",
)
@click.option(
    "--ndsi",
    type=NumberRange(-1, 1),
    default=0.6,
    show_default=True,
    help="Snow index above which a pixel is no cloud, and snow where it is bright.",
)
@click.option(
    "--thorough",
    is_flag=True,
    help="Find small clouds above dark ground, cirrus and haze beside clouds, as `remove` does.",
)
@click.option(
    "--shadow/--no-shadow", default=True, show_default=True, help="Look for shadows of clouds."
)
@click.option(
    "--dilate",
    default="0",
    show_default=True,
    metavar="DISTANCE",
    help="Grow clouds and shadows by metres (40m) or pixels (4px).",
)
@optical_options
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Mask clouds, their shadows and snow in a Sentinel-2 scene.

    Classes: 0 clear, 1 cloud, 2 shadow, 3 snow, 255 no data.
    """
    from cloudfree.commands.mask.options import MaskOptions
    from cloudfree.commands.mask.run import run

    return run(MaskOptions(**options), progress)
