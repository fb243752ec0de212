"""Every flag of every command arrives at the option of its name, with its own value."""

from __future__ import annotations

import dataclasses
import importlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from click.testing import CliRunner

from cloudfree.cli.group import COMMANDS, group
from cloudfree.core.choices import ProtocolName
from cloudfree.metrics.protocol import PROTOCOLS

# What the command line itself uses up.
CONSUMED = {"as_json", "verbose", "quiet", "log_format", "list_ablations"}
# What leads to another pipeline, and what is needed where it is not given.
ELSEWHERE = {"evaluate": {"series"}}
NEEDED = {"evaluate": {"data", "model"}}
# What only programs give.
FOR_PROGRAMS = {"masks", "of_batch", "kept"}


@dataclasses.dataclass
class _Nothing:
    def summary(self) -> str:
        return "done"


def _command(name: str) -> click.Command:
    """The command of that name; of one in a group, both names."""
    command: click.Command | None = group
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return command


def _required(name: str) -> list[click.Parameter]:
    needed = NEEDED.get(name, set())
    return [p for p in _command(name).params if p.required or p.name in needed]


def _names() -> list[str]:
    """Every command that does something."""
    found = {name: _command(name) for name in COMMANDS}
    groups = {name: c for name, c in found.items() if isinstance(c, click.Group)}
    inner = [f"{name} {word}" for name, c in groups.items() for word in c.commands]
    return [name for name in COMMANDS if name not in groups] + inner


# Texts that are checked as they arrive.
CHECKED: dict[str, tuple[str, Any]] = {
    "creation_options": ("COMPRESS=LZW", {"COMPRESS": "LZW"}),
    "references": ("3", "3"),
    "s1_date": ("2021-04-24", datetime(2021, 4, 24, 12, tzinfo=UTC)),
    "s2_date": ("2021-04-24T10:50:31Z", datetime(2021, 4, 24, 10, 50, 31, tzinfo=UTC)),
    "bbox": ("1.5,2,3,4", (1.5, 2.0, 3.0, 4.0)),
}


def _other_value(parameter: click.Parameter, place: Path) -> tuple[str, Any]:
    """Text for the command line, unlike the default, and what should arrive."""
    kind, default = parameter.type, parameter.default
    if isinstance(kind, click.Choice):
        text = next(c for c in kind.choices if c != default)
        return text, text
    if isinstance(kind, click.Path):
        path = place / f"{parameter.name}.tif"
        if kind.exists:
            path.touch()
        return str(path), path
    if isinstance(kind, click.types.FloatParamType):
        return "0.375", 0.375
    if isinstance(kind, click.types.IntParamType):
        number = kind.max if isinstance(kind, click.IntRange) and kind.max else 77
        return str(number), number
    if isinstance(kind, click.Tuple):
        return "1.5 2.5", (1.5, 2.5)
    text = f"{parameter.name}-text"
    return CHECKED.get(str(parameter.name), (text, text))


def _arguments(parameter: click.Parameter, place: Path) -> tuple[list[str], Any]:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        default = bool(parameter.get_default(click.Context(click.Command(""))))
        return [(parameter.secondary_opts if default else parameter.opts)[-1]], not default
    text, value = _other_value(parameter, place)
    values = text.split() if isinstance(parameter.type, click.Tuple) else [text]
    if isinstance(parameter, click.Argument):
        return values, (value,) if parameter.nargs == -1 else value
    if parameter.multiple and not isinstance(value, dict):
        value = (value,)
    return [parameter.opts[-1], *values], value


def _arrived(name: str, parameters: list[click.Parameter], place: Path) -> tuple[Any, Any]:
    """The options a pipeline gets when these parameters are given, and what they should hold."""
    inside = {"export": "models.export"}.get(name, name.replace(" ", "."))
    inside = inside if "." in inside else f"{inside}.run"
    pipeline = importlib.import_module(f"cloudfree.commands.{inside}")
    seen: list[Any] = []
    wanted, words = {}, name.split()
    for parameter in parameters:
        more, wanted[parameter.name] = _arguments(parameter, place)
        words += more
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "run", lambda options, _: seen.append(options) or _Nothing())
        result = CliRunner().invoke(group, words)
    assert result.exit_code == 0, result.output
    return seen[0], wanted


@pytest.mark.parametrize("name", _names())
def test_every_flag_arrives(name: str, tmp_path: Path) -> None:
    left = CONSUMED | ELSEWHERE.get(name, set())
    given = [p for p in _command(name).params if p.name not in left]
    options, wanted = _arrived(name, given, tmp_path)
    fields = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    assert {one: fields[one] for one in fields.keys() - FOR_PROGRAMS} == wanted


@pytest.mark.parametrize("name", _names())
def test_defaults_of_command_line_and_options_agree(name: str, tmp_path: Path) -> None:
    """Who calls the pipeline from Python gets what the command line gives."""
    options, required = _arrived(name, _required(name), tmp_path)
    assert options == type(options)(**required)


def _ranges() -> list[tuple[str, str]]:
    """Every option that takes a number within bounds."""
    return [
        (name, parameter.opts[-1])
        for name in _names()
        for parameter in _command(name).params
        if isinstance(parameter.type, click.FloatRange)
    ]


@pytest.mark.parametrize(("name", "flag"), _ranges())
def test_not_a_number_lies_within_no_bounds(name: str, flag: str) -> None:
    result = CliRunner().invoke(group, [*name.split(), flag, "nan"])
    assert result.exit_code == 2
    assert f"Invalid value for '{flag}': 'nan' is not a number." in result.output


@pytest.mark.parametrize("name", _names())
def test_every_option_has_a_help_text(name: str) -> None:
    silent = [p.name for p in _command(name).params if isinstance(p, click.Option) and not p.help]
    assert silent == []


def _old_names() -> list[tuple[str, str, str]]:
    """Every command with an option that had another name: command, parameter, old name."""
    return [
        (name, str(parameter.name), old)
        for name in _names()
        for parameter in _command(name).params
        for old in getattr(parameter, "old_names", ())
    ]


@pytest.mark.parametrize(("name", "field", "old"), _old_names())
def test_an_old_name_works_and_is_not_shown(
    name: str, field: str, old: str, tmp_path: Path
) -> None:
    command = _command(name)
    (option,) = [p for p in command.params if p.name == field]
    words = [option.opts[-1], *_arguments(option, tmp_path)[0][1:]]  # of a flag the one that is on
    required = [p for p in _required(name) if p.name != field]
    start = [word for p in required for word in _arguments(p, tmp_path)[0]]
    seen: list[Any] = []
    pipeline = importlib.import_module(f"cloudfree.commands.{name}.run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "run", lambda options, _: seen.append(options) or _Nothing())
        for given in (words, [old, *words[1:]], ["=".join([old, *words[1:]])]):
            ran = CliRunner().invoke(group, [name, *start, *given])
            assert ran.exit_code == 0, ran.output
            warned = f"Warning: {old} is now {option.opts[-1]}; the next release drops {old}"
            assert (warned in ran.stderr) == (given is not words)
    assert seen[0] == seen[1] == seen[2]
    shown = CliRunner().invoke(group, [name, "--help"]).output.split()
    assert option.opts[-1] in shown
    assert old not in shown


def test_protocols_to_choose_are_those_there_are() -> None:
    assert get_args(ProtocolName) == tuple(PROTOCOLS)


def test_each_renamed_option_has_its_old_name() -> None:
    assert {(name, old) for name, _, old in _old_names()} == {
        ("mask", "--thorough"), ("remove", "--batch"), ("batch", "--batch"),
        ("simulate", "--donors"), ("evaluate", "--places"), ("train", "--places"),
        ("train", "--start"), ("train", "--batch"), ("train", "--average"),
        ("train", "--checkpoint-steps"), ("train", "--picture-steps"), ("train", "--readers"),
    }  # fmt: skip


def test_behind_two_dashes_nothing_is_renamed() -> None:
    ran = CliRunner().invoke(group, ["mask", "--", "--thorough"])
    assert ran.exit_code == 2
    assert "'--thorough' does not exist" in ran.output


@pytest.mark.parametrize("name", _names())
def test_what_is_required_is_asked_for(name: str) -> None:
    if any(p.required for p in _command(name).params):
        ran = CliRunner().invoke(group, name.split())
        assert (ran.exit_code, "Missing" in ran.output) == (2, True)


def test_a_default_of_zero_is_shown() -> None:
    assert "[default: 0;" in CliRunner().invoke(group, ["simulate", "--help"]).output
