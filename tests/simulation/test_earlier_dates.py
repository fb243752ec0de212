"""Earlier dates show the same land: grown less, changed in parts, under other clouds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, uniform_filter

from cloudfree.core.mask_classes import MaskClass
from cloudfree.simulation.cloud_fields import Sun
from cloudfree.simulation.earlier_dates import (
    MAX_DATES,
    EarlierScene,
    days_before,
    draw_cover,
    history_of,
)
from cloudfree.simulation.land_cover import LandCover
from cloudfree.simulation.scene import INSIDE, SAR_MARGIN_PX, SimulatedScene, simulate_scene

SIZE, SUN = 192, Sun(155.0, 50.0)
SHIFT = (0.0, 0.0)


@pytest.fixture(scope="module")
def now() -> SimulatedScene:
    return simulate_scene((SIZE, SIZE), 0, 0.4, SHIFT)


@pytest.fixture(scope="module")
def dates(now: SimulatedScene) -> dict[int, EarlierScene]:
    history = history_of(now.land, 0, 0.4, SHIFT)
    return {days: history.acquire(days, SUN) for days in (10, 60)}


def test_dates_lie_ten_and_fifteen_days_apart_by_turns() -> None:
    assert days_before(0) == ()
    assert days_before(6) == (10, 25, 35, 50, 60, 75)
    assert max(days_before(MAX_DATES)) == 175


@settings(max_examples=3)
@given(seed=st.integers(0, 2**31))
def test_dates_are_the_same_for_the_same_seed_and_the_scene_stays_as_it_was(seed: int) -> None:
    alone, scene = (simulate_scene((64, 64), seed, 0.4, SHIFT) for _ in range(2))
    one, same = (history_of(scene.land, seed, 0.4, SHIFT).acquire(10, SUN) for _ in range(2))
    for name in ("clear", "cloudy", "mask", "sar", "cover"):
        assert np.array_equal(getattr(one.scene, name), getattr(same.scene, name)), name
        assert np.array_equal(getattr(alone, name), getattr(scene, name)), name
    assert np.array_equal(one.changed, same.changed)
    for name in ("material", "green", "brightness", "backscatter_offset_db"):
        assert np.array_equal(getattr(alone.land, name), getattr(scene.land, name)), name


def test_fields_have_changed_and_woods_towns_roads_and_water_have_not(
    now: SimulatedScene, dates: dict[int, EarlierScene]
) -> None:
    field = now.cover == LandCover.FIELD
    for days, date in dates.items():
        assert date.changed.shape == (SIZE, SIZE)
        assert not date.changed[~field].any()
        assert 0.002 * days < date.changed[field].mean() < 0.008 * days
    assert (dates[60].changed | ~dates[10].changed).all()


def test_unchanged_ground_is_the_same_material(
    now: SimulatedScene, dates: dict[int, EarlierScene]
) -> None:
    for date in dates.values():
        then = date.scene.land.material[*INSIDE]
        same = now.land.material[*INSIDE] == then
        assert same[~date.changed].all()
        assert np.array_equal(date.scene.cover, now.cover)


def test_clouds_differ_between_dates(now: SimulatedScene, dates: dict[int, EarlierScene]) -> None:
    masks = [now.mask, *(date.scene.mask for date in dates.values())]
    covers = [float((mask == MaskClass.CLOUD).mean()) for mask in masks]
    assert len({round(cover, 3) for cover in covers}) == 3
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (masks[one] != masks[other]).mean() > 0.2


def test_the_mask_is_the_truth_of_its_date(dates: dict[int, EarlierScene]) -> None:
    for date in dates.values():
        clear = date.scene.mask == MaskClass.CLEAR
        assert clear.any()
        assert np.array_equal(date.scene.cloudy[:, clear], date.scene.clear[:, clear])


def _vv(scene: SimulatedScene) -> NDArray[np.float32]:
    """VV in dB within the optical scene, (y, x), half a pixel off."""
    inside = slice(SAR_MARGIN_PX, SAR_MARGIN_PX + SIZE)
    return scene.sar[0, inside, inside]


def test_changed_fields_look_other_to_both_satellites(
    now: SimulatedScene, dates: dict[int, EarlierScene]
) -> None:
    then = dates[60].scene
    changed = binary_erosion(dates[60].changed, iterations=3)
    wood = binary_erosion(now.cover == LandCover.WOOD, iterations=3)
    radar = np.abs(uniform_filter(_vv(then), 7) - uniform_filter(_vv(now), 7))
    optical = np.abs(then.clear - now.clear)
    assert np.median(radar[changed]) > 2 * np.median(radar[wood])
    for band in (3, 7, 11):
        assert np.median(optical[band][changed]) > 2 * np.median(optical[band][wood])


def test_the_radar_has_speckle_of_its_own_on_the_same_grid(
    now: SimulatedScene, dates: dict[int, EarlierScene]
) -> None:
    water = binary_erosion(now.cover == LandCover.WATER, iterations=3)
    scenes = [now, *(date.scene for date in dates.values())]
    assert {scene.sar.shape for scene in scenes} == {(2, SIZE + 65, SIZE + 65)}
    vv = [_vv(scene)[water] for scene in scenes]
    assert np.median(vv[1]) == pytest.approx(np.median(vv[0]), abs=0.5)
    assert np.corrcoef(vv)[np.triu_indices(3, 1)].max() < 0.5


@given(mean=st.floats(0.05, 0.95))
def test_cloud_covers_lie_around_the_requested_one(mean: float) -> None:
    rng = np.random.default_rng(0)
    covers = [draw_cover(mean, rng) for _ in range(2000)]
    assert 0 <= min(covers) < mean < max(covers) <= 1
    assert np.mean(covers) == pytest.approx(mean, abs=0.03)
    assert np.std(covers) > 0.05


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_no_cloud_and_overcast_stay_so(mean: float) -> None:
    assert draw_cover(mean, np.random.default_rng(0)) == mean
