"""Items that may be used: when they were acquired, how cloudy, and what they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import shape

from cloudfree.commands.options import Bounds
from cloudfree.core.iso_time import time_of

_FULL_CIRCLE_DEG = 360.0


@dataclass(frozen=True)
class Candidate:
    """An item: its ID, its address, and what decides whether it is used.

    `cloud_cover` is in per cent, None if unknown; `coverage` the share of the area, 0 to 1.
    """

    name: str
    address: str
    acquired: datetime
    cloud_cover: float | None
    coverage: float

    @property
    def clear_share(self) -> float:
        """Share of the area, 0 to 1, that is seen without cloud; half is, if it is not known."""
        clear = 0.5 if self.cloud_cover is None else 1 - self.cloud_cover / 100
        return self.coverage * clear

    def gap(self, other: Candidate) -> timedelta:
        """Time between two items, never negative."""
        return abs(self.acquired - other.acquired)


def candidate(item: Mapping[str, Any], bbox: Bounds, api: str) -> Candidate | None:
    """An item of a search in an area; None without a date."""
    properties = item.get("properties") or {}
    moment = properties.get("datetime") or properties.get("start_datetime")
    if not moment:
        return None
    cover = properties.get("eo:cloud_cover")
    return Candidate(
        name=str(item["id"]),
        address=_address(item, api),
        acquired=time_of(str(moment)),
        cloud_cover=float(cover) if isinstance(cover, (int, float)) else None,
        coverage=_coverage(item, bbox),
    )


def _address(item: Mapping[str, Any], api: str) -> str:
    """The item's own link, or else where STAC APIs have it."""
    links = {one.get("rel"): str(one.get("href")) for one in item.get("links") or ()}
    usual = f"{api.rstrip('/')}/collections/{item.get('collection')}/items/{item['id']}"
    return links.get("self", usual)


def _coverage(item: Mapping[str, Any], bbox: Bounds) -> float:
    area = _box(bbox)
    outline = shape(item["geometry"]) if item.get("geometry") else _box(item["bbox"][:4])
    found = shapely.make_valid(outline).intersection(area).area / area.area
    return float(min(found, 1.0))


def _box(bounds: Any) -> shapely.Geometry:
    """A rectangle of degrees, two where it reaches over the antimeridian."""
    west, south, east, north = bounds
    if west <= east:
        return shapely.box(west, south, east, north)
    half = _FULL_CIRCLE_DEG / 2
    return shapely.union(
        shapely.box(west, south, half, north), shapely.box(-half, south, east, north)
    )
