"""`cloudfree remove`: cloud-free scene from Sentinel-2 and Sentinel-1."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import EXISTING_FILE, NEW_FILE, cloudfree_command
from cloudfree.cli.remove_options import removal_options


@click.command(epilog="Example: cloudfree remove --s1 vv_vh.tif --s2 l1c.tif")
@click.option("--s1", type=EXISTING_FILE, help="Sentinel-1 scene: file, folder or product.")
@click.option("--s2", type=EXISTING_FILE, required=True, help="Cloudy Sentinel-2 scene.")
@click.option("-o", "--output", type=NEW_FILE, help="Result.  [default: S2_cloudfree.tif]")
@click.option("--mask", type=EXISTING_FILE, help="Mask on the scene's grid.  [default: made here]")
@click.option("--report", type=NEW_FILE, metavar="OUT.html", help="Also write a report.")
@removal_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Restore what clouds and their shadows hide; leave every other pixel as it is.

    Masks the scene, lays Sentinel-1 on its grid, runs the model tile by tile and writes a
    Cloud-Optimized GeoTIFF like the input, with a second one that marks the restored pixels.
    """
    from cloudfree.commands.remove import run as pipeline
    from cloudfree.parallel.malloc import limit_malloc_arenas

    limit_malloc_arenas()
    return pipeline.run(pipeline.RemoveOptions(**options), progress)
