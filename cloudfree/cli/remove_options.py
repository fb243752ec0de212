"""Options of the commands that restore scenes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from cloudfree.cli.options import optical_options, output_options, radar_options

Command = Callable[..., Any]

_OPTIONS = (
    click.option(
        "--model",
        default="cloudfree-s",
        show_default=True,
        help="Name or folder of a model, checkpoint or ONNX file.",
    ),
    click.option(
        "--network", metavar="NAME", help="Network of a bare checkpoint that fits several."
    ),
    click.option(
        "--replace",
        type=click.Choice(["clouds", "all"]),
        default="clouds",
        show_default=True,
        help="Restore clouds and shadows only, or every pixel.",
    ),
    click.option(
        "--dilate",
        default="40m",
        show_default=True,
        metavar="LENGTH",
        help="Grow the mask that is made here, in metres (40m) or pixels (4px).",
    ),
    click.option(
        "--adapt",
        is_flag=True,
        help="Learn first, in seconds, how the scene's clear ground differs from what the model "
        "knows.",
    ),
    click.option(
        "--tile", type=click.IntRange(16), help="Side of a tile in pixels.  [default: card]"
    ),
    click.option("--overlap", type=click.IntRange(0), help="Pixels tiles share.  [default: card]"),
    click.option(
        "--batch",
        type=click.IntRange(1),
        metavar="N",
        help="Tiles the network sees at once.  [default: 1 on a CPU, 0.5 megapixels on a GPU]",
    ),
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="auto|cpu|cuda|cuda:N",
        help="Where the network runs.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
        default="auto",
        show_default=True,
        help="Arithmetic of the network; auto is bf16 on a GPU that has it, else fp32.",
    ),
    click.option(
        "--uncertainty",
        is_flag=True,
        help="Also write the standard deviation of each band; can take eight times as long.",
    ),
    click.option("--dry-run", is_flag=True, help="Check everything and say what would be done."),
    optical_options,
    radar_options,
    output_options,
)


def removal_options(command: Command) -> Command:
    """How to restore a scene, whichever it is."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
