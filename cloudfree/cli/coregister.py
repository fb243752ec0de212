"""`cloudfree coregister`: Sentinel-1 onto the grid of a Sentinel-2 scene."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    cloudfree_command,
    optical_options,
    output_options,
    radar_options,
)


@click.command(epilog="Example: cloudfree coregister --s1 vv_vh.tif --s2 l1c.tif")
@click.option(
    "--s1", type=EXISTING_FILE, required=True, help="Sentinel-1 scene: file, folder or product."
)
@click.option("--s2", type=EXISTING_FILE, required=True, help="Sentinel-2 scene.")
@click.option("-o", "--output", type=NEW_FILE, help="Result.  [default: S1_coregistered.tif]")
@click.option("--quicklook", type=NEW_FILE, help="Picture of the matches as arrows, a PNG file.")
@click.option("--dry-run", is_flag=True, help="Measure and say what would be done.")
@optical_options
@radar_options
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Put Sentinel-1 on the grid of Sentinel-2, as VV and VH in dB.

    Resamples once, in linear power, and corrects what is left between the sensors, a shift or one
    that changes over the scene, where it can be measured reliably on the clear ground.
    """
    from cloudfree.commands.coregister import run as pipeline

    return pipeline.run(pipeline.CoregisterOptions(**options), progress)
