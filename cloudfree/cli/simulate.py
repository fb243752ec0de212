"""`cloudfree simulate`: a scene with clouds and the truth below them, drawn or given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NumberRange,
    RenamingCommand,
    cloudfree_command,
    offset_option,
    option_from,
    output_options,
    reach_option,
)
from cloudfree.commands.simulate.options import SimulateOptions


@click.command(cls=RenamingCommand, epilog="Example: cloudfree simulate demo --cloud-cover 0.3")
@click.argument("folder", metavar="OUTDIR", type=click.Path(path_type=Path))
@option_from(
    SimulateOptions,
    "size",
    type=click.IntRange(64),
    metavar="PX",
    help="Side of a drawn scene in pixels of 10 m.  [default: 1024]",
)
@option_from(SimulateOptions, "seed", type=click.IntRange(0), help="Random seed.")
@option_from(
    SimulateOptions,
    "cloud_cover",
    type=NumberRange(0, 1),
    metavar="FRACTION",
    help="Fraction of the pixels under cloud, 0 to 1.",
)
@option_from(
    SimulateOptions,
    "misregistration",
    type=(float, float),
    metavar="ROW COL",
    help="Shift of Sentinel-1 in a drawn scene, in pixels.  [default: 1.3 -0.8]",
)
@option_from(
    SimulateOptions,
    "dates",
    type=click.IntRange(0, 14),
    metavar="N",
    help="Number of earlier dates of a drawn scene.",
)
@option_from(
    SimulateOptions, "over", type=EXISTING_FILE, metavar="CLEAR", help="Add clouds to this scene."
)
@option_from(SimulateOptions, "kind", help="Kind of clouds, with --over.  [default: mixed]")
@option_from(
    SimulateOptions,
    "cloud_donors",
    type=EXISTING_FILE,
    metavar="DIR",
    old_names=["--donors"],
    help="Cloudy and clear images of the same places, from which real clouds are cut.",
)
@option_from(
    SimulateOptions,
    "sun_azimuth",
    type=NumberRange(0, 360),
    metavar="DEG",
    help="Clockwise from north.  [default: of CLEAR, or drawn]",
)
@option_from(
    SimulateOptions,
    "sun_elevation",
    type=NumberRange(0, 90),
    metavar="DEG",
    help="Above the horizon.  [default: of CLEAR, or drawn]",
)
@option_from(
    SimulateOptions,
    "count",
    type=click.IntRange(1),
    metavar="N",
    help="Simulate N scenes, each in a folder, with --over.",
)
@offset_option
@output_options
@reach_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Simulate a Sentinel-1 and a cloudy Sentinel-2 scene with the cloud-free truth.

    OUTDIR gets s2_cloudy.tif, s2_clear.tif, s1.tif and truth_mask.tif: fields, a river, a town and
    woods with matching radar and spectra. --dates adds the same place 10, 25, 35, 50, ... days
    before, and its truth, in the folder earlier. With --over the ground is a clear L1C scene of
    yours, and there is no s1.tif.
    """
    from cloudfree.commands.simulate.run import run

    return run(SimulateOptions(**options), progress)
