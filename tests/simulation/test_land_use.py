"""Fields cover all the ground; towns stay where they are put."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.simulation.land_cover import LandCover, Landscape, number
from cloudfree.simulation.land_use import centrality, paint_fields, paint_town

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
    for name in ("material", "green", "brightness", "backscatter_offset_db"):
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
