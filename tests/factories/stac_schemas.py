"""Checks of STAC items by the official schemas, as far as they can be had without a network.

The core of STAC 1.1.0 and GeoJSON are checked by the schemas that pystac brings. Those of the
extensions come with no package: of their fields, names and types are compared with `FIELDS`, which
follows their definitions by hand; rules between fields are not checked. Where the folder that
`CLOUDFREE_STAC_SCHEMAS` names has the schemas, as NAME/VERSION/schema.json, they are used too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

NUMBER, TEXT = (int, float), str
# Fields of the extensions that items of cloudfree may have, and their types.
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "proj:code": (str, type(None)),
    "proj:wkt2": str,
    "proj:shape": list,
    "proj:transform": list,
    "proj:bbox": list,
    "eo:cloud_cover": NUMBER,
    "eo:common_name": TEXT,
    "eo:center_wavelength": NUMBER,
    "eo:full_width_half_max": NUMBER,
    "raster:spatial_resolution": NUMBER,
    "raster:scale": NUMBER,
    "raster:offset": NUMBER,
    "processing:level": TEXT,
    "processing:lineage": TEXT,
    "processing:software": dict,
    "classification:classes": list,
}
# What links may have of an extension that the item itself does not name.
_OF_LINKS = {"mlm:name": TEXT}
_SCHEMAS = "CLOUDFREE_STAC_SCHEMAS"


def read_valid_item(path: Path) -> dict[str, Any]:
    """The item in a file, checked by the schemas that there are."""
    item: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    check_core(item)
    check_fields(item)
    check_extensions(item)
    return item


def check_core(item: Mapping[str, Any]) -> None:
    """Check an item by the schemas of STAC 1.1.0 and of GeoJSON."""
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: install .[dev]")
    from pystac.validation.local_validator import get_local_schema_cache
    from referencing import Registry, Resource

    assert item["stac_version"] == "1.1.0"
    schemas = get_local_schema_cache()
    known = [(name, Resource.from_contents(schema)) for name, schema in schemas.items()]
    (core,) = (name for name in schemas if name.endswith("/item.json"))
    validator = jsonschema.Draft7Validator(
        schemas[core],
        registry=Registry().with_resources(known),
        format_checker=jsonschema.FormatChecker(),
    )
    assert [error.message for error in validator.iter_errors(item)] == []


def check_fields(item: Mapping[str, Any]) -> None:
    """Check names and types of the fields of extensions, and that the item names each of these."""
    named = {address.split("/")[3] for address in item["stac_extensions"]}
    for place, name, value in _prefixed(item):
        fields = _OF_LINKS if place == "links" else FIELDS
        assert isinstance(value, fields[name]), (name, value)
        prefix = name.split(":")[0]
        assert place == "links" or {"proj": "projection"}.get(prefix, prefix) in named
    for address in item["stac_extensions"]:
        assert address.startswith("https://stac-extensions.github.io/"), address


def check_extensions(item: Mapping[str, Any]) -> None:
    """Check an item by the schemas of its extensions, where the environment names their folder."""
    folder = os.environ.get(_SCHEMAS)
    if not folder:
        return
    import jsonschema

    for address in item["stac_extensions"]:
        path = Path(folder, *address.split("/")[3:])
        if path.exists():
            schema = json.loads(path.read_text(encoding="utf-8"))
            errors = jsonschema.Draft7Validator(schema).iter_errors(item)
            assert [error.message for error in errors] == [], address


def _prefixed(item: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Where an item has fields with a prefix, their names and values."""
    bands = [band for asset in item["assets"].values() for band in asset.get("bands", [])]
    places = [
        ("properties", [item["properties"]]),
        ("assets", [*item["assets"].values(), *bands]),
        ("links", item["links"]),
    ]
    for place, holders in places:
        for holder in holders:
            yield from ((place, name, value) for name, value in holder.items() if ":" in name)
