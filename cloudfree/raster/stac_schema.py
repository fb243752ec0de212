"""What a STAC item must be for it to be read: the types of the fields that are looked at.

Source: STAC 1.0 and 1.1, and the extensions eo, raster, view, sat, projection and Sentinel-2. Of
items of other versions and programs only these fields are held to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudfree.core.typed_entries import structured


@dataclass(frozen=True)
class _Band:
    """A band of an asset, and what it has of the extension raster; prefixes are part of names."""

    name: str | None = None
    common_name: str | None = None
    eo_common_name: str | None = None
    scale: float | None = None
    offset: float | None = None
    raster_scale: float | None = None
    raster_offset: float | None = None


@dataclass(frozen=True)
class _Asset(_Band):
    href: str = field(kw_only=True)
    roles: tuple[str, ...] | None = None
    bands: tuple[_Band, ...] | None = None
    eo_bands: tuple[_Band, ...] | None = None
    raster_bands: tuple[_Band, ...] | None = None
    gsd: float | None = None
    proj_transform: tuple[float, ...] | None = None


@dataclass(frozen=True)
class _Properties:
    datetime: str | None = None
    start_datetime: str | None = None
    platform: str | None = None
    constellation: str | None = None
    s2_product_uri: str | None = None
    s2_mean_solar_azimuth: float | None = None
    view_sun_azimuth: float | None = None
    sat_orbit_state: str | None = None
    sat_relative_orbit: int | None = None
    earthsearch_boa_offset_applied: bool | None = None
    processing_level: str | None = None


@dataclass(frozen=True)
class _Item:
    type: str
    id: str
    assets: Mapping[str, _Asset]
    properties: _Properties
    collection: str | None = None


@dataclass(frozen=True)
class Link:
    """A link of an item."""

    rel: str | None = None
    href: str | None = None


@dataclass(frozen=True)
class FoundProperties:
    """When an item of a search was acquired, and how cloudy it is, in per cent."""

    datetime: str | None = None
    start_datetime: str | None = None
    eo_cloud_cover: float | None = None


@dataclass(frozen=True)
class FoundItem:
    """What is looked at of an item in the answer to a search."""

    id: str
    properties: FoundProperties = FoundProperties()
    collection: str | None = None
    bbox: tuple[float, ...] | None = None
    geometry: Mapping[str, Any] | None = None
    links: tuple[Link, ...] | None = None


@dataclass(frozen=True)
class _Collection:
    features: tuple[Mapping[str, Any], ...]


def check_item(content: Any) -> None:
    """Check the JSON of an item.

    Raises
    ------
    ValueError
        A field is missing or of another type; names it.
    """
    structured(_named(content), _Item, "item", strict=False)


def found_item(content: Any) -> FoundItem:
    """The item of an answer to a search.

    Raises
    ------
    ValueError
        A field is missing or of another type; names it.
    """
    return structured(_named(content), FoundItem, "item", strict=False)


def check_collection(content: Any) -> None:
    """Check that the JSON of a collection holds a list of tables.

    Raises
    ------
    ValueError
        It does not.
    """
    structured(content, _Collection, "collection", strict=False)


def _named(content: Any) -> Any:
    """The same JSON with names that Python can have: `eo:bands` is eo_bands."""
    if isinstance(content, Mapping):
        return {str(name).replace(":", "_"): _named(value) for name, value in content.items()}
    return [_named(value) for value in content] if isinstance(content, list) else content
