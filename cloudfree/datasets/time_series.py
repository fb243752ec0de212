"""Images of one place on many dates: from the names of files, without reading a pixel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cloudfree.datasets.folder import rasters
from cloudfree.datasets.patch import Sample

# A date in a name: 2018-01-06 or 20180106, not part of a longer number.
_DATE = re.compile(r"(?<!\d)(20\d\d)(-?)(\d\d)\2(\d\d)(?!\d)")


@dataclass(frozen=True)
class Dated:
    """An image and its day."""

    path: Path
    day: date


def list_series(folder: Path) -> dict[str, list[Dated]]:
    """Series of two dates or more by the folder that holds them, each in the order of its dates.

    GeoTIFFs with a date in their name that lie in one folder show one place.
    """
    series: dict[str, list[Dated]] = {}
    for path in rasters(folder):
        if day := _day(path.stem):
            series.setdefault(str(path.parent), []).append(Dated(path, day))
    return {
        place: sorted(images, key=lambda image: (image.day, image.path.name))
        for place, images in sorted(series.items())
        if len(images) > 1
    }


def pair_dates(
    place: str, images: Sequence[Dated], clear: Sequence[bool], offset_dn: float | None = None
) -> list[Sample]:
    """Each image that is not clear with the clear one of the nearest day."""
    clear_ones = [image for image, is_clear in zip(images, clear, strict=True) if is_clear]
    return [
        Sample(image.path.stem, place, "", image.path, nearest.path, None, offset_dn=offset_dn)
        for image, is_clear in zip(images, clear, strict=True)
        if not is_clear and clear_ones
        for nearest in [min(clear_ones, key=lambda other: abs(other.day - image.day))]
    ]


def _day(stem: str) -> date | None:
    found = _DATE.search(stem)
    if found is None:
        return None
    try:
        return date(*(int(found[part]) for part in (1, 3, 4)))
    except ValueError:
        return None
