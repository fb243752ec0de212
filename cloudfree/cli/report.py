"""`cloudfree report`: HTML page with before, after and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    cloudfree_command,
    option_from,
    overwrite_option,
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
    help="The page; its pictures are inside.",
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
@overwrite_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Show results of `cloudfree remove` on one HTML page.

    Each RESULT is shown before and after behind a slider, with the radar, the mask, the references
    that filled it, how it was made, and against a truth PSNR, SSIM, SAM and MAE. The page works
    offline and can be sent by mail.
    """
    from cloudfree.commands.report.run import run

    return run(ReportOptions(**options), progress)
