"""`cloudfree info`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import EXISTING_FILE, cloudfree_command, offset_option


@click.command()
@click.argument("path", type=EXISTING_FILE, required=False)
@offset_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Tell what a product at PATH is and what would be done with it.

    Without PATH: what is installed, what is wrong with it and how to mend it; exits with 1 where
    something is wrong.
    """
    from cloudfree.commands.info import run as info

    return info.run(info.InfoOptions(**options), progress)
