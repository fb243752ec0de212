"""`cloudfree evaluate`: metrics of models on a data set."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click
from click.core import ParameterSource

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    SPLITS,
    RenamingCommand,
    cloudfree_command,
    inference_options,
    offset_option,
    option_from,
    overwrite_option,
    reach_option,
)
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.series.options import SeriesOptions
from cloudfree.errors import ErrorCode, InputError


@click.command(
    cls=RenamingCommand,
    epilog="Example: cloudfree evaluate --data SEN12MSCR --model cloudfree-s -o scores",
)
@option_from(
    EvaluateOptions, "data", required=False, type=EXISTING_FILE, help="Folder with the data set."
)
@option_from(
    SeriesOptions,
    "series",
    required=False,
    type=EXISTING_FILE,
    metavar="DIR",
    help="Folder with scenes of one place on several dates, in place of --data and --model: how "
    "well other dates fill what clouds hide.",
)
@option_from(
    EvaluateOptions,
    "model",
    required=False,
    help="Name or folder of a model, checkpoint or ONNX file; repeatable.",
)
@option_from(
    EvaluateOptions,
    "network",
    metavar="NAME",
    help="Network of bare checkpoints that fit several.",
)
@option_from(
    EvaluateOptions,
    "split",
    metavar=SPLITS,
    help="Part of the split of SEN12MS-CR(-TS), or a split whose test part is scored: by the name "
    "of a protocol, or as CSV (name, split).  [default: test there, all elsewhere]",
)
@option_from(
    EvaluateOptions,
    "hold_out",
    metavar="NAME",
    help="Score only this place, season or patch, or these days (2018-06-01/2018-08-31); "
    "repeatable.",
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
    help="At most N patches, or cases of a series, evenly spread.",
)
@option_from(
    EvaluateOptions,
    "cover",
    help="What counts as cloud cover of a patch, by the published detector.",
)
@option_from(
    EvaluateOptions, "bins", type=click.IntRange(1), metavar="N", help="Bins of cloud cover."
)
@option_from(
    EvaluateOptions,
    "per_bin",
    type=click.IntRange(1),
    metavar="N",
    help="Draw a balanced test set: N patches of each bin of cloud cover.",
)
@option_from(
    EvaluateOptions, "seed", type=click.IntRange(0), metavar="N", help="Seed of this draw."
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
    help="Patches or cases to show on the page, from the worst to the best.",
)
@option_from(
    EvaluateOptions,
    "show",
    metavar="NAME",
    help="Write pictures of this patch into the folder of -o; repeatable.",
)
@inference_options
@overwrite_option
@offset_option
@reach_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Score models on cloudy images whose clear counterpart is known.

    The data set is SEN12MS-CR, SEN12MS-CR-TS, or a folder of NAME_s1.tif, NAME_s2_cloudy.tif and
    NAME_s2_clear.tif. Scored are the prediction for every pixel, the output of `remove`, which
    keeps clear pixels, and the unchanged input. With --series, clear dates of a place are hidden
    by the clouds of other dates and filled from the rest.
    """
    if options["series"] is not None:
        return _of_series(progress, options)
    if options["data"] is None or not options["model"]:
        raise click.UsageError("give --data with --model, or --series")
    del options["series"]

    from cloudfree.commands.evaluate.run import run

    return run(EvaluateOptions(**options), progress)


def _of_series(progress: Any, options: dict[str, Any]) -> Any:
    names = {field.name for field in fields(SeriesOptions)}
    source = click.get_current_context().get_parameter_source
    for name in sorted(options.keys() - names):
        if source(name) is ParameterSource.COMMANDLINE:
            raise _not_with_series(name)

    from cloudfree.commands.evaluate.series.run import run

    return run(SeriesOptions(**{name: options[name] for name in names}), progress)


def _not_with_series(name: str) -> InputError:
    option = f"--{name.replace('_', '-')}"
    return InputError(
        f"{option} with --series",
        wanted="a folder with dates of a place, which need neither a data set nor a model",
        hint=f"leave out {option} or --series",
        code=ErrorCode.BAD_OPTION,
    )
