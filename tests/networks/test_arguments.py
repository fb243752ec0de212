"""Every argument of every network says what it may be."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest

from cloudfree.inference.registry import network_entry, network_module, network_names
from cloudfree.networks.arguments import Bounds, Divides, OneOf


def _class(name: str) -> Any:
    return getattr(network_module(name), network_entry(name)["class"])


@pytest.mark.parametrize("name", network_names())
def test_numbers_have_bounds_and_words_a_choice(name: str) -> None:
    hints = get_type_hints(_class(name).__init__, include_extras=True)
    for argument in inspect.signature(_class(name)).parameters:
        kind, *rules = (
            get_args(hints[argument])
            if get_origin(hints[argument]) is Annotated
            else (hints[argument],)
        )
        if kind in (int, float) or get_origin(kind) is Sequence:
            assert any(isinstance(rule, Bounds | OneOf) for rule in rules), argument
        else:
            assert kind is bool or get_origin(kind) is Literal, argument


@pytest.mark.parametrize("name", network_names())
def test_a_divisor_divides_an_argument_that_there_is(name: str) -> None:
    hints = get_type_hints(_class(name).__init__, include_extras=True)
    arguments = inspect.signature(_class(name)).parameters
    for argument, hint in hints.items():
        for rule in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
            if isinstance(rule, Divides):
                assert arguments[rule.argument].default % arguments[argument].default == 0
