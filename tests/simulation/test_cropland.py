"""Fields are told apart by their parcels, and measured."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.simulation.cropland import Cropland, cropland_of
from cloudfree.simulation.land_cover import Landscape


@pytest.fixture
def land() -> Landscape:
    """A wood, a field of stubble and a green one, in columns of two pixels."""
    land = Landscape.bare(np.zeros((4, 6), np.float32))
    land.parcel[:, 2:4], land.parcel[:, 4:] = 900, 70
    land.paint(land.parcel == 0, "broadleaf", 1.5)
    stubble = land.parcel == 900
    land.paint(stubble, "stubble", 0.9, -3.0)
    land.parcel[stubble] = 900
    land.green[:, 4], land.green[:, 5] = 0.4, 0.6
    return land


def test_pixels_of_a_field_share_an_index_and_other_ground_is_no_field(land: Landscape) -> None:
    cropland = cropland_of(land)
    wood, green, stubble = cropland.field[0, [0, 4, 2]]
    assert np.array_equal(cropland.field, np.tile(np.repeat([wood, stubble, green], 2), (4, 1)))
    assert len({wood, green, stubble}) == 3
    assert list(cropland.is_field[[wood, green, stubble]]) == [False, True, True]


def test_fields_are_measured_by_their_means(land: Landscape) -> None:
    cropland = cropland_of(land)
    green, stubble = cropland.field[0, [4, 2]]
    assert cropland.canopy[[green, stubble]] == pytest.approx([0.5, 0.0])
    assert cropland.brightness[[green, stubble]] == pytest.approx([1.0, 0.9])
    assert cropland.backscatter_offset_db[[green, stubble]] == pytest.approx([0.0, -3.0])
    assert list(cropland.stubble[[green, stubble]]) == [False, True]


def test_land_without_other_ground_has_fields_alone() -> None:
    land = Landscape.bare(np.zeros((3, 3), np.float32))
    land.parcel[:] = 5
    cropland: Cropland = cropland_of(land)
    assert (cropland.field == 0).all()
    assert list(cropland.is_field) == [True]
