"""Options that several commands share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.commands.mask.options import MaskOptions
from cloudfree.commands.options import (
    InferenceOptions,
    OpticalOptions,
    OutputOptions,
    OverwriteOptions,
    RadarOptions,
    ReferenceLimits,
    ReferenceOptions,
)
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.errors import InputError

SHARED = (InferenceOptions, OpticalOptions, OutputOptions, OverwriteOptions, RadarOptions)


@pytest.mark.parametrize("kind", (*SHARED, ReferenceLimits, ReferenceOptions))
def test_every_shared_option_has_a_default_and_is_given_by_name(kind: type) -> None:
    kind()
    assert all(field.kw_only for field in dataclasses.fields(kind))


@pytest.mark.parametrize("kind", SHARED)
def test_a_default_is_one_of_its_choices(kind: type) -> None:
    options, hints = kind(), get_type_hints(kind)
    chosen = {name: hint for name, hint in hints.items() if get_origin(hint) is Literal}
    for name, hint in chosen.items():
        assert getattr(options, name) in get_args(hint), name


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (CoregisterOptions, (OpticalOptions, RadarOptions, OutputOptions)),
        (MaskOptions, (OpticalOptions, OutputOptions)),
        (RemoveOptions, SHARED),
    ],
)
def test_commands_take_the_shared_defaults_as_they_are(kind: type, bases: tuple[type, ...]) -> None:
    own = {field.name: field for field in dataclasses.fields(kind)}
    for field in (field for base in bases for field in dataclasses.fields(base)):
        same = own[field.name]
        assert (same.default, same.default_factory) == (field.default, field.default_factory)


def test_creation_options_of_one_run_are_not_those_of_another() -> None:
    assert OutputOptions().creation_options is not OutputOptions().creation_options


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"max_references": 0}, "--max-references 0; wanted 1 to 8; 4 are enough"),
        ({"max_references": 9}, "--max-references 9; wanted 1 to 8;"),
        ({"max_age": 0.0}, "--max-age 0; wanted a positive number of days; leave it out for 400"),
        ({"reference_s1": (Path("s1"),)}, "--reference-s1 without --reference; wanted another"),
        ({"require_references": True}, "--require-references without --reference; wanted another"),
    ],
)
def test_references_that_cannot_be_asked_for_are_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        ReferenceOptions(**given)


def test_references_of_any_age_may_be_asked_for() -> None:
    assert ReferenceOptions(references=(Path("a"),), max_age=None, max_references=8).max_age is None
