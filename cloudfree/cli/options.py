"""What all commands share: options from dataclasses, output and errors."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from cloudfree.cli.failures import MissingInputError, reported
from cloudfree.cli.log_output import chosen_format, log_format_option, logged_run, start_logging
from cloudfree.cli.progress import progress_on_stderr
from cloudfree.commands.options import (
    AreaOptions,
    DateOptions,
    InferenceOptions,
    ItemOptions,
    OpticalOptions,
    OverwriteOptions,
    PluginOptions,
    RadarOptions,
    ReachOptions,
    StyleOptions,
    SunOptions,
)
from cloudfree.core.addresses import collection_of, is_elsewhere
from cloudfree.core.choices import SCL
from cloudfree.core.iso_time import time_of
from cloudfree.core.terminal import silent

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


class _InputPath(click.Path):
    """A path that exists, an address, or a name of GDAL's own that no file system knows."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        path = Path(value)
        if is_elsewhere(path) or os.fspath(value).startswith("SENTINEL2_"):
            return path
        file = collection_of(path)  # of an item in it
        if not file.exists():  # click's own error, of a kind that is known by its code
            raise MissingInputError(
                f"Path {os.fspath(value)!r} does not exist.", ctx=ctx, param=param
            )
        if file.is_fifo() and not file.is_relative_to("/dev") and not file.is_relative_to("/proc"):
            self.fail(f"Path {os.fspath(value)!r} is a pipe, which has no end.", param, ctx)
        return path if file != path else super().convert(value, param, ctx)


class _MaskPath(_InputPath):
    """The path of a mask that exists, or the word for the one in the product."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        return SCL if value == SCL else super().convert(value, param, ctx)


class NumberRange(click.FloatRange):
    """Numbers within bounds; click accepts not-a-number, which is beyond none of them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number of a text."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


EXISTING_FILE = _InputPath(exists=True, path_type=Path)
EXISTING_MASK = _MaskPath(exists=True, path_type=Path)
NEW_FILE = click.Path(path_type=Path)
SPLITS = "test|val|train|all|NAME|FILE"


class Option(click.Option):
    """An option with the names that it had before; they work for one release and are not shown."""

    def __init__(self, *args: Any, old_names: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.old_names = tuple(old_names)


class RenamingCommand(click.Command):
    """A command that takes old names of its options, with a warning that names the new one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Replace old names, up to a `--`, and parse."""
        end = args.index("--") if "--" in args else len(args)
        renamed = {
            old: option.opts[-1]
            for option in self.params
            if isinstance(option, Option)
            for old in option.old_names
        }
        return super().parse_args(ctx, [_renamed(a, renamed) for a in args[:end]] + args[end:])


def _renamed(argument: str, names: Mapping[str, str]) -> str:
    """`--old` or `--old=VALUE` under its new name."""
    old, equals, value = argument.partition("=")
    if old not in names:
        return argument
    click.echo(f"Warning: {old} is now {names[old]}; the next release drops {old}", err=True)
    return f"{names[old]}{equals}{value}"


def option_from(options: type, name: str, *short: str, **attributes: Any) -> Decorator:
    """The option of a field of an options dataclass, with its default and its choices.

    A Literal becomes a choice, a bool a flag, a tuple a repeatable option; without a default the
    option is required. `attributes` are those of click, `old_names`, and `flag`, which is the name
    with dashes if it is not given.
    """
    (field,) = [field for field in dataclasses.fields(options) if field.name == name]
    kind = _kind(get_type_hints(options)[name])
    flag = attributes.pop("flag", f"--{name.replace('_', '-')}")
    given: dict[str, Any] = {"cls": Option, "required": True}
    if field.default is not dataclasses.MISSING:
        shown = not (field.default is None or field.default is False or field.default == ())
        given = {"cls": Option, "default": field.default, "show_default": shown}
    if kind is bool and field.default is not False:
        flag = f"{flag}/--no-{flag[2:]}"
    elif kind is bool:
        given["is_flag"] = True
    elif get_origin(kind) is Literal:
        given["type"] = click.Choice(get_args(kind))
    elif get_origin(kind) is tuple and get_args(kind)[-1] is ...:
        given["multiple"] = True
    elif kind in (int, float):
        given["type"] = kind
    return click.option(*short, flag, name, **(given | attributes))


def _kind(hint: Any) -> Any:
    """The type of a field, without None."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if len(kinds) < len(get_args(hint)) else hint


def offset_option(command: Command) -> Command:
    """The option of every command that reads digital numbers of Sentinel-2."""
    return option_from(
        OpticalOptions,
        "s2_offset",
        metavar="DN",
        help="Added to digital numbers: -1000 since baseline 04.00.  [default: by the metadata]",
    )(command)


reach_option = option_from(
    ReachOptions,
    "allow_remote",
    help="Follow names in inputs (VRT, STAC item, list) out of their folder and to a network, "
    "and read any format of GDAL.",
)


def optical_options(command: Command) -> Command:
    """Options of every command that reads a Sentinel-2 product."""
    resampling = option_from(
        OpticalOptions,
        "resampling",
        help="Resampling of the 20 and 60 m bands to the grid of 10 m.",
    )
    return offset_option(resampling(reach_option(command)))


def area_options(command: Command) -> Command:
    """Options of every command that can be limited to an area."""
    for option in (
        option_from(AreaOptions, "aoi", type=EXISTING_FILE, metavar="FILE.geojson",
                    help="Only the rectangle around the polygons of this GeoJSON file "
                         "(EPSG:4326)."),
        option_from(AreaOptions, "bbox", type=str, metavar="W,S,E,N", callback=bounds_of,
                    help="Only the pixels between these degrees (EPSG:4326)."),
    ):  # fmt: skip
        command = option(command)
    return command


def radar_options(command: Command) -> Command:
    """Options of every command that puts Sentinel-1 on an optical grid."""
    for option in (
        option_from(RadarOptions, "max_gap", type=NumberRange(0), metavar="DAYS",
                    help="Maximum days between the two scenes; a warning comes above 7."),
        option_from(RadarOptions, "dem", type=EXISTING_FILE,
                    help="Heights in metres above the ellipsoid, to correct a GRD product for "
                         "the terrain; needs cloudfree[terrain]."),
        option_from(RadarOptions, "s1_units",
                    help="Units of the Sentinel-1 values; dn only in a GRD product."),
        option_from(RadarOptions, "max_shift", type=NumberRange(0), metavar="PX",
                    help="Maximum shift that is corrected; beyond 32 pixels none is looked for."),
        option_from(RadarOptions, "shift",
                    help="Measure and correct the shift of Sentinel-1, or leave it."),
    ):  # fmt: skip
        command = option(command)
    return command


sun_option = option_from(
    SunOptions,
    "sun_azimuth",
    type=NumberRange(0, 360),
    metavar="DEGREES",
    help="Where the sun stands, clockwise from north.  [default: by the metadata]",
)


def date_options(command: Command) -> Command:
    """Options of every command that needs the time between two scenes."""
    for option in (
        option_from(DateOptions, "s2_date", type=str, metavar="DATE", callback=_time,
                    help="Day or time (ISO 8601, UTC) of Sentinel-2.  [default: by the metadata]"),
        option_from(DateOptions, "s1_date", type=str, metavar="DATE", callback=_time,
                    help="Day or time (ISO 8601, UTC) of Sentinel-1.  [default: by the metadata]"),
    ):  # fmt: skip
        command = option(command)
    return command


plugin_option = option_from(
    PluginOptions,
    "plugin",
    type=EXISTING_FILE,
    metavar="FILE.py",
    help="Python file with networks of your own, which is run; repeatable.",
)


def inference_options(command: Command) -> Command:
    """Where and how exactly a network runs."""
    for option in (
        plugin_option,
        option_from(InferenceOptions, "precision",
                    help="Arithmetic of the network; auto is bf16 on a GPU that has it, else "
                         "fp32."),
        option_from(InferenceOptions, "device", metavar="auto|cpu|cuda|cuda:N",
                    help="Device of the network."),
    ):  # fmt: skip
        command = option(command)
    return command


style_option = option_from(
    StyleOptions, "qml", help="Also write QGIS styles (.qml) beside the scene, masks and "
                              "uncertainties.",
)  # fmt: skip
item_option = option_from(
    ItemOptions, "stac", help="Also write a STAC item (.json) beside the result."
)
overwrite_option = option_from(OverwriteOptions, "overwrite", help="Replace outputs that exist.")


def output_options(command: Command) -> Command:
    """Options of every command that writes a raster."""
    return overwrite_option(
        click.option(
            "--co",
            "creation_options",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_creation_options,
            help="Creation option of GDAL's COG driver, without loss; repeatable.",
        )(command)
    )


def cloudfree_command(command: Command) -> Command:
    """Options of every command, and one way to print results and errors.

    The command returns a dataclass with a method `summary() -> str`; it is printed as text, or
    with --json as one object, as an error is. A CloudfreeError becomes one line on stderr and exit
    code 1, and so does memory that is out; a result may name another exit code.
    """

    @click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, of errors too."
    )
    @click.option("-v", "--verbose", count=True, help="Say more: evidence, tiles, timings, GDAL.")
    @click.option("-q", "--quiet", count=True, help="Say less: no progress, no notes; repeatable.")
    @log_format_option
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, verbose: int, quiet: int, **options: Any) -> None:
        log_format = chosen_format()
        start_logging(verbose - quiet, log_format, _scene_name(options))
        progress = silent if quiet else progress_on_stderr(as_lines=log_format == "json")
        with reported(as_json), logged_run():
            result = command(*args, progress=progress, **options)
        click.echo(json.dumps(_plain(result), indent=2) if as_json else result.summary())
        if code := getattr(result, "exit_code", 0):
            raise SystemExit(code)

    return wrapped


def _scene_name(options: Mapping[str, Any]) -> str:
    """Name of the scene that a command works on, for its log; empty if it is no single one."""
    scene = options.get("s2") or options.get("scene")
    return PurePath(scene).name if scene else ""


def _creation_options(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> Any:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def bounds_of(_: click.Context, __: click.Parameter, text: str | None) -> Any:
    """West, south, east and north of a text, with commas between; None without one."""
    if text is None:
        return None
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not WEST,SOUTH,EAST,NORTH in degrees.") from error
    return west, south, east, north


def _time(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """The time of a text, in UTC; None without one."""
    if text is None:
        return None
    try:
        return time_of(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no date such as 2021-04-24 or 2021-04-24T10:50:31Z."
        ) from error


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
    return str(result) if isinstance(result, (PurePath, datetime)) else result
