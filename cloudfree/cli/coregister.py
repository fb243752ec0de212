"""`cloudfree coregister`: Sentinel-1 on the grid of a Sentinel-2 scene."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    area_options,
    cloudfree_command,
    date_options,
    item_option,
    optical_options,
    option_from,
    output_options,
    radar_options,
)
from cloudfree.commands.coregister.options import CoregisterOptions


@click.command(epilog="Example: cloudfree coregister --s1 vv_vh.tif --s2 l1c.tif")
@option_from(
    CoregisterOptions,
    "s1",
    type=EXISTING_FILE,
    help="Sentinel-1 scene: file, folder or product; repeatable for slices of one pass.",
)
@option_from(CoregisterOptions, "s2", type=EXISTING_FILE, help="Sentinel-2 scene.")
@option_from(
    CoregisterOptions,
    "output",
    "-o",
    type=NEW_FILE,
    help="Result.  [default: S1_coregistered.tif]",
)
@option_from(
    CoregisterOptions,
    "quicklook",
    type=NEW_FILE,
    help="Picture of the tie points as arrows, a PNG file.",
)
@option_from(CoregisterOptions, "dry_run", help="Measure the shift and write nothing.")
@item_option
@area_options
@date_options
@optical_options
@radar_options
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Put Sentinel-1 on the grid of Sentinel-2, as VV and VH, or one of them, in dB.

    Resamples once, in linear power, and corrects the remaining shift between the sensors, one for
    the scene or one that changes over it, where clear ground gives a reliable measurement.
    """
    from cloudfree.commands.coregister.run import run

    return run(CoregisterOptions(**options), progress)
