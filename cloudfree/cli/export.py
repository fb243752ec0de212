"""`cloudfree export`: a model as ONNX."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import NEW_FILE, cloudfree_command, plugin_option


@click.command(epilog="Example: cloudfree export cloudfree-s -o cloudfree-s.onnx")
@click.argument("model")
@click.option("-o", "--output", type=NEW_FILE, required=True, help="ONNX file.")
@click.option("--network", metavar="NAME", help="Network of a bare checkpoint that fits several.")
@click.option(
    "--opset",
    type=click.IntRange(18, 20),
    default=18,
    show_default=True,
    help="Version of the ONNX operators.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@plugin_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Write MODEL as one ONNX file with its card, and compare it with torch.

    MODEL is a name, or the path of a model folder or checkpoint. Batch, height and width are free
    where the network allows it; otherwise the file is for the tile of the card.
    """
    from cloudfree.commands.models import export as pipeline

    return pipeline.run(pipeline.ExportOptions(**options), progress)
