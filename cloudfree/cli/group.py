"""The `cloudfree` command and the table of its subcommands.

Subcommands are imported when they are used: `cloudfree --help` loads click and nothing else.
"""

from __future__ import annotations

import importlib
import signal
import sys

import click

from cloudfree import __version__
from cloudfree.cli.failures import print_usage_error
from cloudfree.cli.log_output import log_format_option
from cloudfree.parallel.environment import set_library_defaults

# Name of a command (and of its module in this folder) -> help line.
COMMANDS = {
    "mask": "Mask clouds, shadows and snow in a Sentinel-2 scene.",
    "coregister": "Put Sentinel-1 on the grid of a Sentinel-2 scene.",
    "remove": "Remove clouds from a Sentinel-2 scene with Sentinel-1.",
    "batch": "Remove clouds from the scenes of a folder or a list.",
    "search": "Find scenes in a STAC API, as a list for batch.",
    "report": "Write an HTML page with before, after and metrics.",
    "simulate": "Simulate a cloudy scene with its truth.",
    "train": "Train a network on a data set.",
    "evaluate": "Score models on a data set.",
    "compare": "Compare results of evaluate, as tables and charts.",
    "models": "List, show, check, convert and measure models.",
    "export": "Export a model as ONNX.",
    "info": "Describe a product, or check the installation.",
}

# In the context: whether the command is asked for JSON, known before its own options are parsed.
_AS_JSON = "cloudfree.json"

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cloudfree.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command, and note whether --json comes after it."""
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that is named; with --json a wrong command line is an object too."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if ctx.meta[_AS_JSON]:
                print_usage_error(error)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cloudfree")
@log_format_option
def group() -> None:
    """Turn a cloudy Sentinel-2 scene and a Sentinel-1 scene into a cloud-free scene."""


def main() -> None:
    """Run the command line and exit.

    0 done, 1 refused or failed, 2 a wrong command line, 3 some scenes of a batch failed, 130
    interrupted, 143 terminated.
    """
    set_library_defaults()
    # What `kill`, Slurm and `docker stop` send: the way out is that of an interruption, so that
    # drafts go away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    try:
        sys.exit(group.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(EXIT_INTERRUPTED)
