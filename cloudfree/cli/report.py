"""`cloudfree report`: HTML page with before, after and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    NumberRange,
    cloudfree_command,
    option_from,
    overwrite_option,
    reach_option,
)
from cloudfree.commands.report.options import ReportOptions


@click.command()
@click.argument("results", metavar="RESULT...", type=EXISTING_FILE, nargs=-1, required=True)
@option_from(
    ReportOptions,
    "output",
    "-o",
    type=NEW_FILE,
    metavar="OUT.html",
    help="The page; its pictures are inside. Of a folder the index, FOLDER/index.html by default.",
)
@option_from(
    ReportOptions,
    "truth",
    type=EXISTING_FILE,
    help="Cloud-free truth on the same grid, to compare with; one for all results, or "
    "repeat it for each.",
)
@option_from(
    ReportOptions,
    "quicklooks",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write the pictures as PNG files into this folder.",
)
@option_from(
    ReportOptions,
    "max_size",
    type=NumberRange(min=0, min_open=True),
    metavar="MB",
    help="Largest size of a page: of a large scene the finest pixels are left out beyond it.",
)
@option_from(
    ReportOptions,
    "pages",
    help="Write the page of each result of a folder, or its index alone.",
)
@overwrite_option
@reach_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Show results of `cloudfree remove` on one HTML page.

    Each RESULT is shown before and after behind a slider that can be zoomed, with the radar, the
    mask, the references that filled it, histograms, how it was made, and against a truth PSNR,
    SSIM, SAM and MAE. The page works offline and can be sent by mail. Of a folder of results an
    index is written, with the scenes that failed in `cloudfree batch`, and a page of each.
    """
    from cloudfree.commands.report.run import run

    return run(ReportOptions(**options), progress)
