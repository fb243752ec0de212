"""Light of other bands in place of a band that a scene lacks, for what wants all of L1C."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from cloudfree.core.radiometry import Float32

# The mean of which bands stands in for a band, and how much of it: reflectance of fields, woods and
# soil changes little between neighbours; water vapour takes 0.4 of B09, and all but a hundredth of
# B10.
STAND_INS: Mapping[str, tuple[tuple[str, ...], float]] = MappingProxyType({
    "B01": (("B02",), 1.0),
    "B05": (("B04", "B08"), 1.0),
    "B06": (("B04", "B08", "B08"), 1.0),
    "B07": (("B08",), 1.0),
    "B8A": (("B08",), 1.0),
    "B09": (("B8A",), 0.6),
    "B10": (("B02",), 0.01),
    "B11": (("B08",), 0.8),
    "B12": (("B04", "B08"), 0.7),
})  # fmt: skip


def irreplaceable(wanted: Sequence[str], bands: Iterable[str]) -> tuple[str, ...]:
    """Those of the `wanted` bands that a scene of these bands neither has nor can do without."""
    return tuple(band for band in wanted if band not in {*bands, *STAND_INS})


def with_stand_ins(planes: Mapping[str, Float32], wanted: Sequence[str]) -> Float32:
    """Reflectance, (band, y, x), of the `wanted` bands, those that are missing out of others.

    None of them is `irreplaceable`, and planes have the bands of 10 m that others are made of.
    """
    return np.stack([_plane(planes, band) for band in wanted])


def _plane(planes: Mapping[str, Float32], band: str) -> Float32:
    if band in planes:
        return planes[band]
    others, share = STAND_INS[band]
    mean = np.mean([_plane(planes, other) for other in others], axis=0)
    return np.asarray(mean * np.float32(share), np.float32)
