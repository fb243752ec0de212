"""`cloudfree report`: HTML page with before, after and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cloudfree.cli.options import EXISTING_FILE, NEW_FILE, cloudfree_command


@click.command()
@click.argument("results", metavar="RESULT...", type=EXISTING_FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    required=True,
    metavar="OUT.html",
    help="The page; it holds its pictures and needs no other file.",
)
@click.option(
    "--truth",
    type=EXISTING_FILE,
    multiple=True,
    help="Cloud-free truth on the same grid, to compare with; one for all results, or "
    "repeat it for each.",
)
@click.option(
    "--quicklooks",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write the pictures as PNG files into this folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:  # fmt: skip
    """Show results of `cloudfree remove` on one HTML page.

    Each RESULT is shown before and after behind a slider, with the radar, the mask, how it was
    made, and against a truth the figures PSNR, SSIM, SAM and MAE. The page works offline and can
    be sent by mail.
    """
    from cloudfree.commands.report import run as report

    return report.run(report.ReportOptions(**options), progress)
