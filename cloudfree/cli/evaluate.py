"""`cloudfree evaluate`: metrics of models on a data set."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    RenamingCommand,
    cloudfree_command,
    inference_options,
    offset_option,
    option_from,
    overwrite_option,
)
from cloudfree.commands.evaluate.options import EvaluateOptions


@click.command(
    cls=RenamingCommand,
    epilog="Example: cloudfree evaluate --data SEN12MSCR --model cloudfree-s -o scores",
)
@option_from(EvaluateOptions, "data", type=EXISTING_FILE, help="Folder with the data set.")
@option_from(
    EvaluateOptions,
    "model",
    help="Name or folder of a model, checkpoint or ONNX file; repeatable.",
)
@option_from(
    EvaluateOptions,
    "network",
    metavar="NAME",
    help="Network of bare checkpoints that fit several.",
)
@option_from(
    EvaluateOptions, "split", help="Split of SEN12MS-CR(-TS).  [default: test there, all elsewhere]"
)
@option_from(
    EvaluateOptions,
    "protocol",
    help="Evaluation protocol; metrics of two protocols do not compare.",
)
@option_from(
    EvaluateOptions,
    "limit",
    type=click.IntRange(1),
    metavar="N",
    help="At most N patches, evenly spread over the data set.",
)
@option_from(
    EvaluateOptions,
    "dates",
    type=click.IntRange(1),
    metavar="N",
    help="Dates of a time series that a model of several dates is shown.  [default: 3]",
)
@option_from(
    EvaluateOptions,
    "patch",
    type=click.IntRange(16),
    metavar="PX",
    help="Side of the patches that scenes are cut into.",
)
@option_from(
    EvaluateOptions,
    "groups",
    type=EXISTING_FILE,
    old_names=["--places"],
    help="TOML or CSV file that groups the patches by place.",
)
@option_from(
    EvaluateOptions,
    "uncertainty",
    help="Also calibrate the standard deviations of `remove --uncertainty`, and print the table "
    "for a card.",
)
@option_from(
    EvaluateOptions,
    "output",
    "-o",
    type=NEW_FILE,
    metavar="DIR",
    help="Folder for a page with pictures, CSV and JSON.",
)
@option_from(
    EvaluateOptions,
    "pictures",
    type=click.IntRange(0),
    metavar="N",
    help="Patches to show on the page, from the worst to the best.",
)
@inference_options
@overwrite_option
@offset_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Score models on cloudy images whose clear counterpart is known.

    The data set is SEN12MS-CR, SEN12MS-CR-TS, or a folder of NAME_s1.tif, NAME_s2_cloudy.tif and
    NAME_s2_clear.tif. Scored are the prediction for every pixel, the output of `remove`, which
    keeps clear pixels, and the unchanged input.
    """
    from cloudfree.commands.evaluate.run import run

    return run(EvaluateOptions(**options), progress)
