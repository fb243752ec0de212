"""`cloudfree remove`: cloud-free scene from Sentinel-2 and Sentinel-1."""

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


@click.command(epilog="Example: cloudfree remove --s1 vv_vh.tif --s2 l1c.tif")
@click.option("--s1", type=EXISTING_FILE, help="Sentinel-1 scene: file, folder or product.")
@click.option("--s2", type=EXISTING_FILE, required=True, help="Cloudy Sentinel-2 scene.")
@click.option("-o", "--output", type=NEW_FILE, help="Result.  [default: S2_cloudfree.tif]")
@click.option(
    "--model",
    default="cloudfree-s",
    show_default=True,
    help="Name or folder of a model, checkpoint or ONNX file.",
)
@click.option("--network", metavar="NAME", help="Network of a bare checkpoint that fits several.")
@click.option("--mask", type=EXISTING_FILE, help="Mask on the scene's grid.  [default: made here]")
@click.option(
    "--replace",
    type=click.Choice(["clouds", "all"]),
    default="clouds",
    show_default=True,
    help="Restore clouds and shadows only, or every pixel.",
)
@click.option(
    "--dilate",
    default="40m",
    show_default=True,
    metavar="LENGTH",
    help="Grow the mask that is made here, in metres (40m) or pixels (4px).",
)
@click.option(
    "--adapt",
    is_flag=True,
    help="Learn first, in seconds, how the scene's clear ground differs from what the model knows.",
)
@click.option("--tile", type=click.IntRange(16), help="Side of a tile in pixels.  [default: card]")
@click.option("--overlap", type=click.IntRange(0), help="Pixels tiles share.  [default: card]")
@click.option(
    "--batch",
    type=click.IntRange(1),
    metavar="N",
    help="Tiles the network sees at once.  [default: 1 on a CPU, 2 megapixels on a GPU]",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda|cuda:N",
    help="Where the network runs.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="Arithmetic of the network; auto is bf16 on a GPU that has it, else fp32.",
)
@click.option(
    "--uncertainty",
    is_flag=True,
    help="Also write the standard deviation of each band; can take eight times as long.",
)
@click.option("--report", type=NEW_FILE, metavar="OUT.html", help="Also write a report.")
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be done.")
@optical_options
@radar_options
@output_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Restore what clouds and their shadows hide; leave every other pixel as it is.

    Masks the scene, lays Sentinel-1 on its grid, runs the model tile by tile and writes a
    Cloud-Optimized GeoTIFF like the input, with a second one that marks the restored pixels.
    """
    from cloudfree.pipelines import remove as pipeline

    return pipeline.run(pipeline.RemoveOptions(**options), progress)
