"""Rivers and roads as lines, distances to them, and the landscape that they run through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from cloudfree.simulation.land_cover import LandCover, number
from cloudfree.simulation.scene import distance_to, draw_landscape, meander, road


@given(seed=st.integers(0, 2**31))
def test_a_river_runs_through_the_middle(seed: int) -> None:
    line = meander((300, 400), np.random.default_rng(seed))
    assert line.shape[1] == 2
    middle = line[len(line) // 2]
    assert (np.abs(middle / (400, 300) - 0.5) <= 0.08 + 1e-6).all()


@given(seed=st.integers(0, 2**31))
def test_a_river_has_no_gap(seed: int) -> None:
    line = meander((300, 400), np.random.default_rng(seed))
    steps = np.hypot(*np.diff(line.astype(np.float64), axis=0).T)
    assert steps == pytest.approx(2.0, abs=1e-3)


@given(seed=st.integers(0, 2**31), angle=st.floats(0, 6.28))
def test_a_road_leaves_its_start_as_straight_as_it_was_aimed(seed: int, angle: float) -> None:
    start = np.array([50.0, 60.0])
    line = road(start, angle, 300.0, np.random.default_rng(seed)).astype(np.float64)
    assert np.hypot(*(line[0] - start)) == pytest.approx(3.0, abs=1e-3)
    first = (line[0] - start) / 3.0
    assert first == pytest.approx([np.cos(angle), np.sin(angle)], abs=1e-3)
    assert np.hypot(*np.diff(line, axis=0).T) == pytest.approx(3.0, abs=1e-3)


def test_the_distance_to_a_straight_path_is_known() -> None:
    distance = distance_to(np.array([[-5.0, 10.0], [60.0, 10.0]], np.float32), (40, 50))
    assert distance.dtype == np.float32
    expected = np.broadcast_to(np.abs(np.arange(40) - 10)[:, None], (40, 50))
    assert np.allclose(distance, expected, atol=1e-3)


@settings(max_examples=20)
@given(seed=st.integers(0, 999))
def test_the_distance_to_a_river_is_euclidean(seed: int) -> None:
    distance = distance_to(meander((80, 90), np.random.default_rng(seed)), (80, 90))
    on_river = distance == 0
    assert on_river.any()
    assert np.allclose(distance, distance_transform_edt(~on_river), atol=0.01)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_landscape_has_every_cover_inside_its_margin(seed: int) -> None:
    land = draw_landscape((220, 240), 40, np.random.default_rng(seed))
    inner = land.cover[40:-40, 40:-40]
    assert set(np.unique(inner)) == {int(cover) for cover in LandCover}
    assert np.isfinite(land.height).all()
    assert (land.height >= 0).all()
    for layer in (land.green, land.brightness, land.backscatter_offset_db, land.height):
        assert layer.shape == land.shape == (220, 240)


def test_parcels_are_fields_and_neither_sand_nor_clearings() -> None:
    land = draw_landscape((220, 240), 40, np.random.default_rng(0))
    field = land.parcel > 0
    assert 0.3 < field.mean() < (land.cover == LandCover.FIELD).mean()
    assert (land.cover[field] == LandCover.FIELD).all()
    assert not field[land.material == number("sand")].any()


def test_water_lies_low() -> None:
    land = draw_landscape((220, 240), 40, np.random.default_rng(0))
    water = land.cover == LandCover.WATER
    assert land.height[water].mean() < 0.5 * land.height[~water].mean()


def test_only_the_seed_decides() -> None:
    one, same, other = (
        draw_landscape((160, 160), 32, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(one.material, same.material)
    assert not np.array_equal(one.material, other.material)
