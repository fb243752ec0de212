"""`cloudfree simulate`: a scene with clouds and the truth below them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cloudfree.cli.options import cloudfree_command, output_options


@click.command(epilog="Example: cloudfree simulate demo --cloud-cover 0.3")
@click.argument("folder", metavar="OUTDIR", type=click.Path(path_type=Path))
@click.option(
    "--size",
    type=click.IntRange(64),
    default=1024,
    show_default=True,
    metavar="PX",
    help="Side of the scene in pixels of 10 m.",
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
    type=click.FloatRange(0, 1),
    default=0.4,
    show_default=True,
    metavar="SHARE",
    help="Share of the pixels under cloud, 0 to 1.",
)
@click.option(
    "--misregistration",
    type=(float, float),
    default=(1.3, -0.8),
    show_default=True,
    metavar="ROW COL",
    help="How far Sentinel-1 lies beside the optical scene, in pixels.",
)
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Write a Sentinel-1 and a cloudy Sentinel-2 scene, made by code, and the cloud-free truth.

    OUTDIR gets s2_cloudy.tif, s2_clear.tif, s1.tif and truth_mask.tif: fields, a river, a town and
    woods whose radar and spectra belong together.
    """
    from cloudfree.pipelines import simulate as pipeline

    return pipeline.run(pipeline.SimulateOptions(**options), progress)
