"""`cloudfree compare`: the tables of a paper from results of `evaluate`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    cloudfree_command,
    option_from,
    overwrite_option,
)
from cloudfree.commands.compare.options import CompareOptions


@click.command(epilog="Example: cloudfree compare scores/glf_cr scores/ib_hfn -o tables")
@click.argument("results", metavar="[LABEL=]RESULT...", nargs=-1, required=True)
@option_from(
    CompareOptions,
    "image",
    help="Image of the models: the prediction for every pixel, or the output of `remove`.",
)
@option_from(
    CompareOptions,
    "baseline",
    metavar="LABEL",
    help="Model that differences are taken to.  [default: the first]",
)
@option_from(
    CompareOptions, "bins", type=click.IntRange(1), metavar="N", help="Bins of cloud cover."
)
@option_from(
    CompareOptions,
    "dates",
    type=EXISTING_FILE,
    metavar="FILE.csv",
    help="Days of the images: columns name, s1, s2_cloudy and s2_clear.  [default: as evaluated]",
)
@option_from(
    CompareOptions,
    "gap_days",
    metavar="DAYS",
    help="Last days of the groups by days between two images.",
)
@option_from(
    CompareOptions,
    "show",
    metavar="NAME",
    help="Show this patch, which was evaluated with --show, across models; repeatable.",
)
@option_from(
    CompareOptions,
    "output",
    "-o",
    type=NEW_FILE,
    metavar="DIR",
    help="Folder for tables (CSV, Markdown, LaTeX), the bar chart and the patches shown.",
)
@overwrite_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Compare results of `evaluate`: means, deviations over seeds, and paired differences.

    RESULT is the folder of an evaluation, or its JSON. Results of one model name, or one LABEL, are
    trainings with several seeds. Compared are the patches that all models have.
    """
    from cloudfree.commands.compare.run import run

    return run(CompareOptions(**options), progress)
