"""`cloudfree evaluate`: how close models come to the truth of a data set."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import EXISTING_FILE, NEW_FILE, cloudfree_command, offset_option


@click.command(epilog="Example: cloudfree evaluate --data SEN12MSCR --model cloudfree-s -o scores")
@click.option("--data", type=EXISTING_FILE, required=True, help="Folder with the data set.")
@click.option(
    "--model",
    multiple=True,
    required=True,
    help="Name or folder of a model, checkpoint or ONNX file; repeatable.",
)
@click.option("--network", metavar="NAME", help="Network of bare checkpoints that fit several.")
@click.option(
    "--split",
    type=click.Choice(["test", "val", "train", "all"]),
    help="Part of SEN12MS-CR.  [default: test there, all elsewhere]",
)
@click.option(
    "--protocol",
    type=click.Choice(["native", "glf-cr", "uncrtaints"]),
    default="native",
    show_default=True,
    help="What exactly is compared: figures of two protocols do not compare.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="At most N patches, evenly spread over the data set.",
)
@click.option(
    "--patch",
    type=click.IntRange(16),
    default=256,
    show_default=True,
    metavar="PX",
    help="Side of the patches that scenes are cut into.",
)
@click.option(
    "--places", type=EXISTING_FILE, help="TOML or CSV that tells which patches show one place."
)
@click.option(
    "--uncertainty",
    is_flag=True,
    help="Also calibrate the standard deviations of `remove --uncertainty`, and print what a card "
    "says of them.",
)
@click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    metavar="DIR",
    help="Folder for a page with pictures, CSV and JSON.",
)
@click.option(
    "--pictures",
    type=click.IntRange(0),
    default=6,
    show_default=True,
    metavar="N",
    help="Patches to show on the page, from the worst to the best.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda|cuda:N",
    help="Where the networks run.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="Arithmetic of the networks; auto is bf16 on a GPU that has it, else fp32.",
)
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@offset_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:  # fmt: skip
    """Score models on cloudy images whose clear counterpart is known.

    The data set is SEN12MS-CR, or a folder of NAME_s1.tif, NAME_s2_cloudy.tif and
    NAME_s2_clear.tif. Scored are the prediction for every pixel, what `remove` writes, which keeps
    clear pixels, and doing nothing.
    """
    from cloudfree.commands.evaluate import run as evaluate

    return evaluate.run(evaluate.EvaluateOptions(**options), progress)
