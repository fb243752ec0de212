"""Items that may be used: when they were acquired, how cloudy, and what they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from cloudfree.commands.options import Bounds
from cloudfree.core.addresses import is_url
from cloudfree.core.iso_time import time_of
from cloudfree.errors import ErrorCode, InputError, parser_errors, reason_of
from cloudfree.raster.stac_schema import FoundItem, found_item

_FULL_CIRCLE_DEG, _RIGHT_ANGLE_DEG, _PER_CENT = 360.0, 90.0, 100.0
# Numbers of a bbox, without and with heights.
_EDGES = (4, 6)


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


def candidate(content: Any, bbox: Bounds, api: str) -> Candidate | None:
    """An item of a search in an area, by its JSON; None without a date.

    Raises
    ------
    InputError
        It is no item, or says of itself what cannot be.
    """
    with parser_errors(_no_item):
        item = found_item(content)
        moment = item.properties.datetime or item.properties.start_datetime
        if not moment:
            return None
        return Candidate(
            name=_printable(item.id),
            address=_address(item, api),
            acquired=time_of(moment),
            cloud_cover=_cloud_cover(item),
            coverage=_coverage(item, bbox),
        )


def _no_item(error: Exception) -> InputError:
    return InputError(
        f"no item of STAC ({reason_of(error)})",
        wanted="an item with ID, date and outline",
        hint="leave it out",
        code=ErrorCode.UNREADABLE,
    )


def _printable(text: str) -> str:
    """A name or an address, which is printed in a list."""
    if not text or not text.isprintable():
        raise ValueError(f"{text!r}, not a name")
    return text


def _address(item: FoundItem, api: str) -> str:
    """The item's own link, if it is one to a network, or else where STAC APIs have it."""
    links = {one.rel: one.href for one in item.links or ()}
    own = links.get("self")
    if own and is_url(PurePosixPath(own)):
        return _printable(own)
    return _printable(f"{api.rstrip('/')}/collections/{item.collection}/items/{item.id}")


def _cloud_cover(item: FoundItem) -> float | None:
    cover = item.properties.eo_cloud_cover
    if cover is not None and not 0 <= cover <= _PER_CENT:
        raise ValueError(f"a cloud cover of {cover:g} per cent")
    return cover


def _coverage(item: FoundItem, bbox: Bounds) -> float:
    area = _box(bbox)
    outline = shape(item.geometry) if item.geometry else _box(_edges(item.bbox))
    if not _lies_on_the_earth(outline):
        raise ValueError("an outline that does not lie on the Earth")
    found = shapely.make_valid(outline).intersection(area).area / area.area
    return float(min(found, 1.0))


def _edges(bbox: Sequence[float] | None) -> tuple[float, ...]:
    """West, south, east and north of a rectangle, which may have heights too (RFC 7946, 5)."""
    edges = tuple(bbox or ())
    if len(edges) not in _EDGES:
        raise ValueError(f"a bbox of {len(edges)} numbers, and no geometry")
    half = len(edges) // 2
    return (*edges[:2], *edges[half : half + 2])


def _lies_on_the_earth(outline: shapely.Geometry) -> bool:
    """Whether all positions are degrees; longitudes may go on beyond the antimeridian."""
    positions = np.abs(shapely.get_coordinates(outline))
    return bool((positions <= (_FULL_CIRCLE_DEG, _RIGHT_ANGLE_DEG)).all())


def _box(bounds: Any) -> shapely.Geometry:
    """A rectangle of degrees, two where it reaches over the antimeridian."""
    west, south, east, north = bounds
    if west <= east:
        return shapely.box(west, south, east, north)
    half = _FULL_CIRCLE_DEG / 2
    return shapely.union(
        shapely.box(west, south, half, north), shapely.box(-half, south, east, north)
    )
