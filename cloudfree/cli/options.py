"""What all commands share: their common options, how they print and how they fail."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from cloudfree.errors import CloudfreeError

Step = TypeVar("Step")
Command = Callable[..., Any]


class _InputPath(click.Path):
    """A path that exists, or a name of GDAL's own that no file system knows."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if os.fspath(value).startswith(("SENTINEL2_", "/vsi")):
            return Path(value)
        return super().convert(value, param, ctx)


class NumberRange(click.FloatRange):
    """Numbers within bounds; click lets not-a-number pass, which lies beyond none of them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number of a text."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


EXISTING_FILE = _InputPath(exists=True, path_type=Path)
NEW_FILE = click.Path(path_type=Path)

# What helps where memory is out: only `remove` knows to go on with smaller batches.
_SPARE = "wanted room for what was asked; end other programs, or ask for smaller tiles or patches"


def offset_option(command: Command) -> Command:
    """The option of every command that reads digital numbers of Sentinel-2."""
    return click.option(
        "--s2-offset",
        type=float,
        metavar="DN",
        help="Added to digital numbers: -1000 since baseline 04.00.  [default: by the metadata]",
    )(command)


def optical_options(command: Command) -> Command:
    """Options of every command that reads a Sentinel-2 product."""
    return offset_option(
        click.option(
            "--resampling",
            type=click.Choice(["bilinear", "cubic", "nearest"]),
            default="bilinear",
            show_default=True,
            help="How bands of 20 and 60 m come to the grid of 10 m.",
        )(command)
    )


def radar_options(command: Command) -> Command:
    """Options of every command that lays Sentinel-1 on an optical grid."""
    for option in (
        click.option("--max-gap", type=NumberRange(0), default=30.0, show_default=True,
                     metavar="DAYS",
                     help="Most days between the two scenes; a warning comes above 7."),
        click.option("--dem", type=EXISTING_FILE,
                     help="Heights in metres above the ellipsoid, to correct a GRD product for "
                          "the relief; needs cloudfree[terrain]."),
        click.option("--s1-units", type=click.Choice(["auto", "db", "linear", "dn"]),
                     default="auto", show_default=True,
                     help="What the Sentinel-1 numbers are; dn only in a GRD product."),
        click.option("--max-shift", type=NumberRange(0), default=8.0, show_default=True,
                     metavar="PX",
                     help="Largest shift that is corrected; beyond 32 pixels none is looked for."),
        click.option("--shift", type=click.Choice(["auto", "none"]), default="auto",
                     show_default=True,
                     help="Measure and correct the shift of Sentinel-1, or leave it."),
    ):  # fmt: skip
        command = option(command)
    return command


def output_options(command: Command) -> Command:
    """Options of every command that writes a raster."""
    for option in (
        click.option("--co", "creation_options", multiple=True, metavar="NAME=VALUE",
                     callback=_creation_options,
                     help="Creation option of GDAL's COG driver, without loss; repeatable."),
        click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
    ):  # fmt: skip
        command = option(command)
    return command


def cloudfree_command(command: Command) -> Command:
    """Options of every command, and one way to print results and errors.

    The command returns a dataclass with a method `summary() -> str`; it is printed as text, or
    with --json as one object. A CloudfreeError becomes one line on stderr and exit code 1, and so
    does memory that is out; a result may name another exit code.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    @click.option("-v", "--verbose", count=True, help="Say more; repeatable.")
    @click.option("-q", "--quiet", count=True, help="Say less: no progress, no notes; repeatable.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, verbose: int, quiet: int, **options: Any) -> None:
        _start_logging(verbose - quiet)
        try:
            result = command(*args, progress=_quiet if quiet else _progress_bar, **options)
        except CloudfreeError as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            raise click.ClickException(f"not enough memory ({error}); {_SPARE}") from error
        click.echo(json.dumps(_plain(result), indent=2) if as_json else result.summary())
        if code := getattr(result, "exit_code", 0):
            raise SystemExit(code)

    return wrapped


def _creation_options(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> Any:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def _start_logging(verbosity: int) -> None:
    """Send notes and warnings to stderr; -q drops the notes, -qq the warnings, -v adds details."""
    level = {-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG)
    logger = logging.getLogger("cloudfree")
    logger.setLevel(logging.ERROR if verbosity < -1 else level)
    logger.handlers[:] = [_StderrHandler()]
    _quieten_gdal(verbosity)


def _quieten_gdal(verbosity: int) -> None:
    """Leave what GDAL says of errors to -v: a refusal tells in one line what matters of it.

    What its threads say goes past the logger to stderr, unless GDAL has a file for it.
    """
    logger = logging.getLogger("rasterio")
    logger.propagate = False
    logger.handlers[:] = [_StderrHandler() if verbosity > 0 else logging.NullHandler()]
    if verbosity <= 0:
        os.environ.setdefault("CPL_LOG", os.devnull)


class _StderrHandler(logging.Handler):
    """Prints through click, so that it reaches the stderr of the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.capitalize()}: "
        with _above_bars():
            click.echo(prefix + record.getMessage(), err=True)


def _above_bars() -> AbstractContextManager[object]:
    """Lines of the block stand above the bars on stderr; there are none unless tqdm is loaded."""
    bars = sys.modules.get("tqdm")
    return bars.tqdm.external_write_mode(sys.stderr) if bars else nullcontext()


def _progress_bar(
    steps: Iterable[Step], total: int, what: str, unit: str = "step"
) -> Iterator[Step]:
    """A bar on stderr, shown on a terminal only."""
    from tqdm import tqdm

    yield from tqdm(steps, total=total, desc=what, unit=f" {unit}", disable=None, leave=False)


def _quiet(steps: Iterable[Step], total: int, what: str, unit: str = "step") -> Iterator[Step]:
    del total, what, unit
    yield from steps


def _plain(result: Any) -> Any:
    """A result as JSON knows it: dataclasses to objects, paths to text, no number to null."""
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        fields = dataclasses.fields(result)
        return {field.name: _plain(getattr(result, field.name)) for field in fields}
    if isinstance(result, dict):
        return {key: _plain(value) for key, value in result.items()}
    if isinstance(result, (list, tuple)):
        return [_plain(value) for value in result]
    if isinstance(result, float) and not math.isfinite(result):
        return None
    return str(result) if isinstance(result, (Path, datetime)) else result
