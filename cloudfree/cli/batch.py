"""`cloudfree batch`: cloud-free scenes from a folder or a list."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    RenamingCommand,
    cloudfree_command,
    option_from,
)
from cloudfree.cli.remove import reference_limits, removal_options
from cloudfree.commands.batch.options import BatchOptions


@click.command(
    cls=RenamingCommand,
    epilog="Example: cloudfree batch scenes -o cloudfree --jobs 2 --skip-existing",
)
@click.argument("source", type=EXISTING_FILE, metavar="FOLDER|LIST|ITEMS")
@option_from(
    BatchOptions, "output", "-o", type=NEW_FILE, metavar="DIR", help="Folder for the results."
)
@option_from(
    BatchOptions,
    "jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Scenes at once, each in a process that takes 1 to 1.5 GB.",
)
@option_from(
    BatchOptions,
    "scheduler",
    metavar="ADDRESS|FILE",
    help="Run on the workers of this Dask scheduler; needs cloudfree[dask].",
)
@option_from(
    BatchOptions,
    "shard",
    metavar="I/N|slurm",
    help="Only the I-th of N shards of the scenes, or that of the task of a Slurm array.",
)
@option_from(
    BatchOptions,
    "retries",
    type=click.IntRange(0),
    metavar="N",
    help="Attempts after the first where a failure may pass: out of memory, disk, network.",
)
@option_from(
    BatchOptions,
    "skip_existing",
    help="Skip scenes whose result exists. One of other inputs or options is refused; with "
    "--overwrite it is made anew.",
)
@option_from(
    BatchOptions,
    "references",
    metavar="auto|none|N",
    help="Other scenes of its place that a scene is filled from at most; auto is 4.",
)
@reference_limits
@removal_options
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Remove clouds from every scene of a folder, a CSV file, or a collection of STAC items.

    The CSV file has the columns s2, s1, mask and name. A folder holds NAME_s2.tif (or
    NAME_s2_cloudy.tif) with NAME_s1.tif, s2_YYYYMMDD.tif with s1_YYYYMMDD.tif, a folder with s2.tif
    and s1.tif for each scene, or products under their own names, which are matched by place and
    time; without any of these, scenes under other names. Scenes of one place show each other what
    clouds hide, as with --reference of `remove`. A scene that fails does not stop the others; the
    exit code is 3 then. DIR/batch.jsonl logs the outcome of each.
    """
    from cloudfree.commands.batch.run import run

    return run(BatchOptions(**options), progress)
