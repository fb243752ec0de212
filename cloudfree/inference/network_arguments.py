"""Settings of a network, held against the signature of its class before it is built.

All settings pass here, whether an option, a preset, a card or a checkpoint has them.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from cloudfree.errors import ModelError
from cloudfree.networks.arguments import Bounds, Divides, OneOf

Rules = tuple[Bounds | OneOf | Divides, ...]


def default_arguments(network_class: Any) -> dict[str, Any]:
    """The arguments of a class that have a default, with it."""
    parameters = inspect.signature(network_class).parameters
    return {key: one.default for key, one in parameters.items() if one.default is not one.empty}


def check_arguments(name: str, network_class: Any, settings: Mapping[str, Any]) -> None:
    """Refuse settings that the class of the network `name` does not take.

    What a signature says nothing about, such as that of a plugin without types, is not checked.

    Raises
    ------
    ModelError
        Names the first argument that is unknown, missing or wrong, and what it may be.
    """
    parameters = inspect.signature(network_class).parameters.values()
    named = [one for one in parameters if one.kind is not one.VAR_KEYWORD]
    known = [one.name for one in named]
    unknown = [setting for setting in settings if setting not in known]
    if unknown and len(named) == len(parameters):
        raise _unknown(name, unknown[0], known)
    if missing := [o.name for o in named if o.default is o.empty and o.name not in settings]:
        raise _wrong_argument(name, f"without {missing[0]}", f"settings with {missing[0]}")
    hints, complete = _hints(network_class), {**default_arguments(network_class), **settings}
    for setting, value in settings.items():
        hint = hints.get(setting)
        if wanted := _wanted(hint, value, default_arguments(network_class).get(setting)):
            raise _wrong_argument(name, f"with {setting} = {value!r}", wanted)
    for setting, hint in hints.items():
        _check_divisor(name, setting, hint, complete)


def _hints(network_class: Any) -> dict[str, Any]:
    """The types of the arguments; none where they cannot be told."""
    try:
        return get_type_hints(network_class.__init__, include_extras=True)
    except (NameError, TypeError):  # a plugin may name types that only its checker knows
        return {}


def _wanted(hint: Any, value: Any, default: Any) -> str:
    """What an argument should be; empty if the value is that, or nothing is said of it."""
    kind, rules = _unfolded(hint)
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return "" if value in choices else f"one of {', '.join(map(str, choices))}"
    if kind is bool:
        return "" if isinstance(value, bool) else "true or false"
    if kind in (int, float):
        return "" if _is_number(kind, value, rules) else _number_text(kind, rules)
    if get_origin(kind) is Sequence and rules:
        return _wanted_list(value, rules, default)
    return ""


def _unfolded(hint: Any) -> tuple[Any, Rules]:
    """The type and the rules of a type that may be annotated."""
    if get_origin(hint) is not Annotated:
        return hint, ()
    kind, *rules = get_args(hint)
    return kind, tuple(rules)


def _wanted_list(value: Any, rules: Rules, default: Sequence[int]) -> str:
    """The same for a list of whole numbers, as many as the default has."""
    listed = isinstance(value, list | tuple) and len(value) == len(default)
    if listed and all(_is_number(int, one, rules) for one in value):
        return ""
    return f"{len(default)} times {_number_text(int, rules)}, such as {list(default)}"


def _is_number(kind: type, value: Any, rules: Rules) -> bool:
    """Whether a value is a number of that kind as the rules say."""
    kinds = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return all(
        value in rule.numbers if isinstance(rule, OneOf) else rule.least <= value < rule.below
        for rule in rules
        if not isinstance(rule, Divides)
    )


def _number_text(kind: type, rules: Rules) -> str:
    noun = "a whole number" if kind is int else "a number"
    for rule in rules:
        if isinstance(rule, OneOf):
            return " or ".join(map(str, rule.numbers))
        if isinstance(rule, Bounds):
            return f"{noun} {_bounds_text(kind, rule)}"
    return noun


def _bounds_text(kind: type, bounds: Bounds) -> str:
    if math.isinf(bounds.below):
        return f"of at least {bounds.least:g}"
    if kind is int:
        return f"from {bounds.least} to {int(bounds.below) - 1}"
    return f"of at least {bounds.least:g} and below {bounds.below:g}"


def _check_divisor(name: str, setting: str, hint: Any, settings: Mapping[str, Any]) -> None:
    """Refuse a number that does not divide another one as it should."""
    for rule in _unfolded(hint)[1]:
        if isinstance(rule, Divides) and settings[rule.argument] % settings[setting]:
            raise _wrong_argument(
                name,
                f"with {rule.argument} = {settings[rule.argument]} and {setting} = "
                f"{settings[setting]}",
                f"{rule.argument} that is a multiple of {setting}",
            )


def _unknown(name: str, setting: str, known: Sequence[str]) -> ModelError:
    close = difflib.get_close_matches(setting, known, n=1)
    return ModelError(
        f"no setting {setting!r} of network {name}",
        wanted=f"one of {', '.join(known)}" if known else "none",
        hint=f"did you mean {close[0]!r}?" if close else f"see `cloudfree models show {name}`",
    )


def _wrong_argument(name: str, found: str, wanted: str) -> ModelError:
    return ModelError(
        f"network {name} {found}",
        wanted=wanted,
        hint="correct --network-setting, or [network_settings] of the card",
    )
