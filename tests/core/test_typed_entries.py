"""Entries of JSON and TOML have the types that a dataclass says, or are named with their place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.typed_entries import UnknownEntryError, structured


@dataclass(frozen=True)
class Tile:
    size: int
    word: Literal["warn", "refuse"] = "warn"


@dataclass(frozen=True)
class Card:
    rate: float
    name: str = ""
    flips: bool = False
    bands: tuple[str, ...] = ()
    scale: tuple[float, float] = (0.0, 1.0)
    tile: Tile | None = None
    tiles: tuple[Tile, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def test_entries_become_a_dataclass_and_keep_their_values() -> None:
    entries = {"rate": 1, "bands": ["B02"], "scale": [-1, 2.5], "tile": {"size": 3}, "flips": True,
               "shares": {"sea": 0.5}, "more": {"any": [1, None]}}  # fmt: skip
    assert structured(entries, Card, "card") == Card(
        rate=1, bands=("B02",), scale=(-1, 2.5), tile=Tile(3), flips=True, shares={"sea": 0.5},
        more={"any": [1, None]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"rate": "1"}, "'1', not a finite number @ card.rate"),
        ({"rate": True}, "True, not a finite number @ card.rate"),
        ({"rate": float("nan")}, "nan, not a finite number"),
        ({"rate": 10**400}, "not a finite number @ card.rate"),
        ({"name": 5}, "5, not a text @ card.name"),
        ({"flips": 1}, "1, not true or false @ card.flips"),
        ({"bands": "B02"}, "'B02', not a list @ card.bands"),
        ({"bands": ["B02", None]}, r"None, not a text @ card.bands\[1\]"),
        ({"scale": [1]}, "@ card.scale"),
        ({"scale": 1}, "@ card.scale"),
        ({"tile": 5}, "5, not a table @ card.tile"),
        ({"tile": {"size": 1.5}}, "1.5, not a whole number @ card.tile.size"),
        ({"tile": {}}, "no entry size @ card.tile.size"),
        ({"tile": {"size": 1, "word": ["warn"]}}, r"none of warn, refuse @ card.tile.word"),
        ({"tiles": [{"size": 1}, 2]}, r"2, not a table @ card.tiles\[1\]"),
        ({"shares": ["sea"]}, "not a table @ card.shares"),
        ({"shares": {"sea": None}}, r"None, not a finite number @ card.shares\['sea'\]"),
    ],
)
def test_an_entry_of_another_type_is_named_with_its_place(entries: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        structured({"rate": 0.5, **entries}, Card, "card")


@pytest.mark.parametrize("entries", [None, 5, [], "card", True])
def test_what_is_no_table_is_no_dataclass(entries: Any) -> None:
    with pytest.raises(ValueError, match="not a table @ card"):
        structured(entries, Card, "card")


def test_an_unknown_entry_is_refused_unless_others_are_of_no_interest() -> None:
    with pytest.raises(UnknownEntryError, match="unknown entry 'siez'") as found:
        structured({"rate": 1, "tile": {"size": 1, "siez": 2}}, Card, "card")
    assert found.value.known == ["size", "word"]
    assert structured({"rate": 1, "siez": 2}, Card, "card", strict=False) == Card(1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = st.sampled_from(list(Card.__dataclass_fields__))


@given(st.dictionaries(NAMES, JSON) | JSON)
def test_any_json_is_a_dataclass_or_a_value_error(entries: Any) -> None:
    try:
        found = structured(json.loads(json.dumps(entries)), Card, "card", strict=False)
    except ValueError as error:
        assert "@ card" in str(error)
    else:
        assert isinstance(found.rate, int | float)
        assert all(isinstance(band, str) for band in found.bands)
