"""`cloudfree info`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    cloudfree_command,
    offset_option,
    plugin_option,
    reach_option,
)


@click.command()
@click.argument("path", type=EXISTING_FILE, required=False)
@offset_option
@reach_option
@plugin_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Describe the product at PATH and how it would be processed.

    Without PATH: check the installation, list problems and how to solve them; exit with 1 if there
    are any.
    """
    from cloudfree.commands.info.run import InfoOptions, run

    return run(InfoOptions(**options), progress)
