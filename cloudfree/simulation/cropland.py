"""The fields of a landscape, one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.land_cover import Landscape, Where, number


@dataclass(frozen=True)
class Cropland:
    """The fields of a landscape; arrays (field,), but `field`.

    `field`, (y, x), is the index of the pixel's field; all ground that is none shares an index
    where `is_field` is false. `canopy`, `brightness` and `backscatter_offset_db` are means of those
    of the landscape, `stubble` is whether most pixels show it.
    """

    field: NDArray[np.intp]
    is_field: Where
    canopy: Float32
    stubble: Where
    brightness: Float32
    backscatter_offset_db: Float32


def cropland_of(land: Landscape) -> Cropland:
    """The fields of a landscape by its parcels."""
    parcels, field = np.unique(land.parcel, return_inverse=True)
    field = field.reshape(land.shape)
    return Cropland(
        field=field,
        is_field=parcels > 0,
        canopy=_means(land.green, field),
        stubble=_means(land.material == number("stubble"), field) > 0.5,
        brightness=_means(land.brightness, field),
        backscatter_offset_db=_means(land.backscatter_offset_db, field),
    )


def _means(layer: NDArray[np.generic], field: NDArray[np.intp]) -> Float32:
    """Mean of a layer, (y, x), over the pixels of each field, (field,)."""
    sums = np.bincount(field.ravel(), layer.ravel())
    return np.asarray(sums / np.bincount(field.ravel()), dtype=np.float32)
