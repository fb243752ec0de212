"""`cloudfree simulate`: a scene with clouds and the truth below them, drawn or given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NumberRange,
    cloudfree_command,
    offset_option,
    output_options,
)


@click.command(epilog="Example: cloudfree simulate demo --cloud-cover 0.3")
@click.argument("folder", metavar="OUTDIR", type=click.Path(path_type=Path))
@click.option(
    "--size",
    type=click.IntRange(64),
    metavar="PX",
    help="Side of a drawn scene in pixels of 10 m.  [default: 1024]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another seed, another scene; the same seed, the same pixels.",
)
@click.option(
    "--cloud-cover",
    type=NumberRange(0, 1),
    default=0.4,
    show_default=True,
    metavar="SHARE",
    help="Share of the pixels under cloud, 0 to 1.",
)
@click.option(
    "--misregistration",
    type=(float, float),
    metavar="ROW COL",
    help="How far Sentinel-1 lies beside a drawn scene, in pixels.  [default: 1.3 -0.8]",
)
@click.option("--over", type=EXISTING_FILE, metavar="CLEAR", help="Put clouds over this scene.")
@click.option(
    "--kind",
    type=click.Choice(["cumulus", "cirrus", "haze", "real", "mixed"]),
    help="Which clouds, with --over.  [default: mixed]",
)
@click.option(
    "--donors",
    type=EXISTING_FILE,
    metavar="DIR",
    help="Cloudy and clear images of the same places, from which real clouds are cut.",
)
@click.option(
    "--sun-azimuth",
    type=NumberRange(0, 360),
    metavar="DEG",
    help="Clockwise from north.  [default: of CLEAR, or drawn]",
)
@click.option(
    "--sun-elevation",
    type=NumberRange(0, 90),
    metavar="DEG",
    help="Above the horizon.  [default: of CLEAR, or drawn]",
)
@click.option(
    "--count", type=click.IntRange(1), metavar="N", help="Put N skies over it, each in a folder."
)
@offset_option
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Write a Sentinel-1 and a cloudy Sentinel-2 scene, made by code, and the cloud-free truth.

    OUTDIR gets s2_cloudy.tif, s2_clear.tif, s1.tif and truth_mask.tif: fields, a river, a town and
    woods whose radar and spectra belong together. With --over the ground is a clear L1C scene of
    yours, and there is no s1.tif.
    """
    from cloudfree.commands.simulate import run as pipeline
    from cloudfree.commands.simulate.options import SimulateOptions

    return pipeline.run(SimulateOptions(**options), progress)
