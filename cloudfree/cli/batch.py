"""`cloudfree batch`: cloud-free scenes from a folder or a list."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import EXISTING_FILE, NEW_FILE, cloudfree_command
from cloudfree.cli.remove_options import removal_options


@click.command(epilog="Example: cloudfree batch scenes -o restored --jobs 2 --skip-existing")
@click.argument("source", type=EXISTING_FILE, metavar="FOLDER|LIST")
@click.option(
    "-o", "--output", type=NEW_FILE, required=True, metavar="DIR", help="Folder for the results."
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Scenes at once, each in a process of its own that takes 1 to 1.5 GB.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS|FILE",
    help="Run on the workers of this Dask scheduler; needs cloudfree[dask].",
)
@click.option(
    "--shard",
    metavar="I/N|slurm",
    help="Only the I-th of N parts of the scenes, or that of the task of a Slurm array.",
)
@click.option("--skip-existing", is_flag=True, help="Leave scenes that have their result.")
@removal_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Restore every scene of a folder, or of a CSV file with the columns s2, s1, mask and name.

    A folder holds NAME_s2.tif (or NAME_s2_cloudy.tif) with NAME_s1.tif, a folder with s2.tif and
    s1.tif for each scene, or products under their own names, which are matched by place and time.
    A scene that fails does not stop the others; the exit code is 3 then. DIR/batch.jsonl tells how
    each ended.
    """
    from cloudfree.commands.batch import run as batch

    return batch.run(batch.BatchOptions(**options), progress)
