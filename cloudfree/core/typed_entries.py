"""Entries of JSON and TOML as dataclasses: every value has its type, and none is converted.

A text is no list of letters here, "1" no number, and NaN neither: files that people and other
programs write hold all of that.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

import cattrs
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_mapping,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,
)
from cattrs.gen import make_dict_structure_fn

Structure = TypeVar("Structure")
Hook = Callable[[Any, Any], Any]

# A text that is shown in a message.
_SHOWN_LETTERS = 60


class UnknownEntryError(ValueError):
    """An entry that there is not; `known` are those that there are."""

    def __init__(self, found: str, known: list[str]) -> None:
        self.found, self.known = found, known
        super().__init__(f"unknown entry {found!r}")


def structured(entries: Any, kind: type[Structure], name: str, strict: bool = True) -> Structure:
    """The dataclass `kind` with these entries; `name` is what they are called in messages.

    Entries that the dataclass does not have are refused, unless not `strict`.

    Raises
    ------
    UnknownEntryError
        An entry is unknown.
    ValueError
        An entry is missing or of another type; the text names each with its path.
    """
    try:
        return _converter(strict).structure(entries, kind)
    except cattrs.BaseValidationError as error:
        if unknown := _unknown(error):
            raise unknown from error
        raise ValueError("; ".join(cattrs.transform_error(error, name, _text_of))) from error
    except ValueError as error:
        raise ValueError(f"{error} @ {name}") from error


def _text_of(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"no entry {error.args[0]}"
    return str(error)


def _unknown(error: BaseException) -> UnknownEntryError | None:
    """The first entry that there is not."""
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        known = list(getattr(error.cl, "__dataclass_fields__", ()))
        return UnknownEntryError(min(error.extra_fields), known)
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next(filter(None, map(_unknown, inner)), None)


@functools.cache
def _converter(strict: bool) -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=strict)
    for kind, wanted, is_one in _PLAIN:
        converter.register_structure_hook(kind, functools.partial(_checked, wanted, is_one))
    converter.register_structure_hook_func(_is_literal, _word)
    for belongs, wanted, is_one, make in _NESTED:
        converter.register_structure_hook_factory(
            belongs, functools.partial(_factory, wanted, is_one, make)
        )
    return converter


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


_PLAIN: tuple[tuple[Any, str, Callable[[Any], bool]], ...] = (
    (str, "a text", lambda value: isinstance(value, str)),
    (bool, "true or false", lambda value: isinstance(value, bool)),
    (int, "a whole number", lambda value: isinstance(value, int) and _is_number(value)),
    (float, "a finite number", _is_number),
)


def _is_homogenous_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple and Ellipsis in get_args(kind)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _of_dataclass(kind: Any, converter: cattrs.Converter) -> Hook:
    return make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=converter.forbid_extra_keys
    )


# Types with others inside: how they are recognised, what they are made from, and how.
_NESTED: tuple[tuple[Callable[[Any], bool], str, Callable[[Any], bool], Any], ...] = (
    (is_sequence, "a list", _is_list, list_structure_factory),
    (_is_homogenous_tuple, "a list", _is_list, homogenous_tuple_structure_factory),
    (is_mapping, "a table", _is_table, mapping_structure_factory),
    (is_dataclass, "a table", _is_table, _of_dataclass),
)


def _factory(
    wanted: str, is_one: Callable[[Any], bool], make: Any, kind: Any, converter: cattrs.Converter
) -> Hook:
    """What cattrs makes of a type, once the value is checked."""
    inner: Hook = make(kind, converter)

    def structure(value: Any, own: Any) -> Any:
        return inner(_checked(wanted, is_one, value, own), own)

    return structure


def _word(value: Any, kind: Any) -> Any:
    words = get_args(kind)
    if isinstance(value, str) and value in words:
        return value
    raise ValueError(f"{_shown(value)}, none of {', '.join(map(str, words))}")


def _checked(wanted: str, is_one: Callable[[Any], bool], value: Any, _: Any) -> Any:
    if is_one(value):
        return value
    raise ValueError(f"{_shown(value)}, not {wanted}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}..."
