"""The fields of an item that are read have their types; all else in it is its own affair."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.raster.stac_schema import check_collection, check_item

ITEM = {
    "type": "Feature", "stac_version": "1.1.0", "id": "a", "collection": None,
    "properties": {"datetime": None, "eo:cloud_cover": "any", "sat:relative_orbit": 51},
    "assets": {"blue": {"href": "B02.tif", "eo:bands": [{"name": "B02"}], "other": [None]}},
}  # fmt: skip


def test_an_item_is_held_to_what_is_read_of_it() -> None:
    check_item(ITEM)


@pytest.mark.parametrize("field", ["type", "id", "properties", "assets"])
def test_an_item_without_a_field_that_all_have_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"no entry {field} @ item.{field}"):
        check_item({name: value for name, value in ITEM.items() if name != field})


def test_a_collection_has_a_list_of_tables() -> None:
    check_collection({"type": "FeatureCollection", "features": [{}, ITEM], "links": 3})
    for features in (None, {}, [3], "ab"):
        with pytest.raises(ValueError, match=r"@ collection\.features"):
            check_collection({"features": features})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from([("assets", "blue"), ("properties",), ("assets",), ()]), st.text(), JSON)
def test_any_json_is_an_item_or_a_value_error(
    place: tuple[str, ...], name: str, value: Any
) -> None:
    item = json.loads(json.dumps(ITEM))
    inner = item
    for step in place:
        inner = inner[step]
    inner[name] = value
    try:
        check_item(item)
    except ValueError as error:
        assert "@ item" in str(error)
