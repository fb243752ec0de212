"""`cloudfree models`: list, show, check, convert and measure models and checkpoints."""

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
    plugin_option,
)
from cloudfree.commands.models.bench_options import BenchOptions

NETWORK = click.option(
    "--network", metavar="NAME", help="Network of a bare checkpoint that fits several."
)


@click.group()
def command() -> None:
    """List, show, check, convert and measure models.

    MODEL is a name that `list` shows, or the path of a model folder, checkpoint or ONNX file.
    """


@command.command("list", epilog="Example: cloudfree models list --json")
@plugin_option
@cloudfree_command
def list_command(progress: Any, **options: Any) -> Any:
    """List the models that are found by name, and the networks that checkpoints can be of."""
    from cloudfree.commands.models import list as pipeline

    return pipeline.run(pipeline.ListOptions(**options), progress)


@command.command("show", epilog="Example: cloudfree models show cloudfree-s")
@click.argument("model", metavar="MODEL|NETWORK")
@NETWORK
@plugin_option
@cloudfree_command
def show_command(progress: Any, **options: Any) -> Any:
    """Show the card of MODEL, or what a NETWORK takes and which arguments and presets it has.

    Of a bare checkpoint it is the card of what it is recognised as.
    """
    from cloudfree.commands.models import show as pipeline

    return pipeline.run(pipeline.ShowOptions(**options), progress)


@command.command("check", epilog="Example: cloudfree models check net.pth --inputs X --expect Y")
@click.argument("model")
@click.option("--inputs", type=EXISTING_FILE, metavar="X.npz", help="Arrays the network is fed.")
@click.option("--expect", type=EXISTING_FILE, metavar="Y.npz", help="Arrays that must come out.")
@click.option(
    "--atol",
    type=NumberRange(0),
    default=1e-4,
    show_default=True,
    help="Largest difference that is accepted.",
)
@NETWORK
@plugin_option
@cloudfree_command
def check_command(progress: Any, **options: Any) -> Any:
    """Run MODEL on known inputs and compare what comes out; exit 1 beyond --atol.

    Without arrays, golden.npz beside the card is used. Inputs are `opt`, `sar` and `shadow`, as far
    as the network takes them, or one stack `x`, on the scale of the network; outputs are `out`, or
    any output by its name.
    """
    from cloudfree.commands.models import check as pipeline

    return pipeline.run(pipeline.CheckOptions(**options), progress)


@command.command("convert", epilog="Example: cloudfree models convert CR_net.pth my-model")
@click.argument("model", metavar="IN")
@click.argument("output", metavar="OUT", type=NEW_FILE)
@NETWORK
@click.option(
    "--card",
    type=EXISTING_FILE,
    metavar="FILE.toml",
    help="Entries of the card that the tensors do not show, such as [optical] bands.",
)
@click.option("--overwrite", is_flag=True, help="Replace a model folder that exists.")
@plugin_option
@cloudfree_command
def convert_command(progress: Any, output: Path, **options: Any) -> Any:
    """Write any readable checkpoint as a folder OUT with safetensors and a card."""
    from cloudfree.commands.models import convert as pipeline

    return pipeline.run(pipeline.ConvertOptions(output=output, **options), progress)


@command.command(
    "bench", epilog="Example: cloudfree models bench glf_cr ib_hfn --size 256 -o complexity.csv"
)
@click.argument("model", metavar="[MODEL|NETWORK]...", nargs=-1)
@option_from(
    BenchOptions, "size", type=click.IntRange(1), metavar="PX", help="Side of the tile; repeatable."
)
@option_from(BenchOptions, "device", metavar="auto|cpu|cuda|cuda:N", help="Device; repeatable.")
@option_from(BenchOptions, "precision", help="Arithmetic of the networks; ONNX files have theirs.")
@option_from(
    BenchOptions,
    "repeats",
    type=click.IntRange(1),
    metavar="N",
    help="Runs after the first, of which the median is taken.",
)
@option_from(
    BenchOptions,
    "network_setting",
    metavar="NAME=VALUE",
    help="Argument of the networks, such as design=printed; repeatable.",
)
@option_from(
    BenchOptions,
    "output",
    "-o",
    type=NEW_FILE,
    metavar="FILE",
    help="Write the table as .csv, .md, .tex or .json; repeatable.",
)
@overwrite_option
@plugin_option
@cloudfree_command
def bench_command(progress: Any, **options: Any) -> Any:
    """Measure parameters, multiply-accumulates, time and peak memory of one tile.

    Without names all networks are measured, untrained, as their presets build them, which takes
    minutes on a CPU. A name that ends in .onnx is measured with ONNX Runtime.
    """
    from cloudfree.commands.models import bench as pipeline

    return pipeline.run(BenchOptions(**options), progress)
