"""Parcels divide the ground without a rest, fields cover it, towns stay where they are put."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.simulation.land_cover import LandCover, Landscape, number
from cloudfree.simulation.land_use import (
    Parcels,
    ParcelSizes,
    centrality,
    divide_into_parcels,
    paint_fields,
    paint_town,
    roughness_db,
)

SHAPE = (160, 180)
PLACE = np.array([80.0, 90.0])


def bare() -> Landscape:
    return Landscape.bare(np.zeros(SHAPE, np.float32))


@pytest.fixture(scope="module")
def fields() -> Landscape:
    land = bare()
    paint_fields(land, np.random.default_rng(0))
    return land


def test_fields_have_hedges_and_tracks_and_nothing_else(fields: Landscape) -> None:
    share = np.bincount(fields.cover.ravel(), minlength=5) / fields.cover.size
    assert share[LandCover.FIELD] > 0.7
    assert share[LandCover.WOOD] > 0
    assert share[LandCover.ROAD] > 0
    assert share[LandCover.WATER] == share[LandCover.SETTLEMENT] == 0


def test_parcels_hold_the_fields_without_their_borders(fields: Landscape) -> None:
    share = (fields.parcel > 0).mean()
    assert 0.7 < share < (fields.cover == LandCover.FIELD).mean()
    assert (fields.cover[fields.parcel > 0] == LandCover.FIELD).all()
    assert np.unique(fields.parcel).size > 20


def test_most_fields_are_smooth_and_some_are_rough() -> None:
    offset_db = roughness_db(np.linspace(0, 1, 101, dtype=np.float32))
    assert (np.diff(offset_db) > 0).all()
    assert -5 < offset_db[0] < offset_db[50] < 1 < offset_db[-1] < 4


def test_soils_are_of_several_kinds(fields: Landscape) -> None:
    shares = [
        (fields.material == number(soil)).mean()
        for soil in ("brown soil", "dark soil", "stubble", "light soil")
    ]
    assert min(shares) > 0.01


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_canopy_is_a_share_and_brightness_is_positive(seed: int) -> None:
    land = bare()
    paint_fields(land, np.random.default_rng(seed))
    assert land.green.min() >= 0
    assert land.green.max() <= 1
    assert land.brightness.min() > 0
    assert np.isfinite(land.backscatter_offset_db).all()


def test_the_same_seed_gives_the_same_fields(fields: Landscape) -> None:
    again = bare()
    paint_fields(again, np.random.default_rng(0))
    for name in ("material", "green", "brightness", "backscatter_offset_db", "parcel"):
        assert np.array_equal(getattr(fields, name), getattr(again, name)), name


def test_a_settlement_is_inside_at_its_centre_and_ends_at_its_edge() -> None:
    inside = centrality(SHAPE, [(PLACE, 30.0)], np.random.default_rng(0))
    rows, cols = np.indices(SHAPE)
    distance = np.hypot(rows - PLACE[0], cols - PLACE[1])
    assert inside[distance < 5].mean() > 0.5
    assert (inside[distance > 75] < 0).all()
    # The ragged edge is the same noise everywhere: what remains is the distance alone.
    assert np.corrcoef(inside.ravel(), distance.ravel())[0, 1] < -0.9


def test_a_second_settlement_takes_nothing_from_the_first() -> None:
    alone, both = (
        centrality(SHAPE, places, np.random.default_rng(0))
        for places in ([(PLACE, 30.0)], [(PLACE, 30.0), (np.array([20.0, 20.0]), 10.0)])
    )
    assert (both >= alone).all()
    assert both[20, 20] > alone[20, 20]


def test_a_town_is_built_where_it_is_inside_and_nowhere_else() -> None:
    land = bare()
    inside = centrality(SHAPE, [(PLACE, 40.0)], np.random.default_rng(0))
    before = land.material.copy()
    paint_town(land, inside, np.random.default_rng(1))
    outside = inside <= 0
    assert np.array_equal(land.material[outside], before[outside])
    assert (land.brightness[outside] == 1).all()
    built = land.cover[~outside]
    assert np.isin(built, [LandCover.SETTLEMENT, LandCover.ROAD, LandCover.WOOD]).all()
    assert (built == LandCover.SETTLEMENT).mean() > 0.5


PARCEL_SIZES = ParcelSizes(district=60.0, width=12.0, length=30.0, bend=2.0)


@pytest.fixture(scope="module")
def parcels() -> Parcels:
    return divide_into_parcels((300, 340), np.random.default_rng(0), PARCEL_SIZES)


@given(rows=st.integers(16, 70), cols=st.integers(16, 70), seed=st.integers(0, 99))
def test_any_ground_is_divided_without_a_rest(rows: int, cols: int, seed: int) -> None:
    parcels = divide_into_parcels((rows, cols), np.random.default_rng(seed), PARCEL_SIZES)
    assert parcels.parcel.shape == (rows, cols)
    assert np.isfinite(parcels.edge).all()
    assert (parcels.edge >= 0).all()


def test_a_parcel_lies_in_one_district(parcels: Parcels) -> None:
    pairs = np.unique(np.stack([parcels.parcel.ravel(), parcels.district.ravel()]), axis=1)
    assert pairs.shape[1] == np.unique(parcels.parcel).size


def test_neighbours_differ_only_where_a_border_is_near(parcels: Parcels) -> None:
    changes = parcels.parcel[:, 1:] != parcels.parcel[:, :-1]
    assert changes.any()
    # A border between two pixel centres is at most a pixel from both; bends stretch that a little.
    assert np.percentile(parcels.edge[:, 1:][changes], 99) < 1.3


def test_parcels_have_about_the_requested_area(parcels: Parcels) -> None:
    area = parcels.parcel.size / np.unique(parcels.parcel).size
    mean = PARCEL_SIZES.width * PARCEL_SIZES.length
    assert 0.4 * mean < area < 1.3 * mean


def test_districts_differ_in_direction(parcels: Parcels) -> None:
    inner = parcels.edge > 3
    down, right = np.gradient(parcels.across)
    angles = np.degrees(np.arctan2(down, right))
    of_districts = [
        np.median(angles[inner & (parcels.district == d)])
        for d in np.unique(parcels.district)
        if (inner & (parcels.district == d)).sum() > 100
    ]
    assert np.std(of_districts) > 10
