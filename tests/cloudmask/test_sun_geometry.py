from __future__ import annotations

import numpy as np
import pytest

from cloudfree.cloudmask.shadow import PixelAxes
from cloudfree.cloudmask.sun_geometry import (
    NO_SUN,
    SHADOW_DISTANCE_TAG,
    SUN_TAG,
    Sun,
    fit_sun,
    sun_from_tags,
    sun_tags,
)
from tests.factories.cloudy_scenes import TEN_METRE_AXES, cloudy_scene, degrees_apart


def _masks(seed: int = 0, azimuth: float = 150.0, **scene: object) -> tuple[np.ndarray, ...]:
    _, cloud, shadow = cloudy_scene(seed=seed, sun_azimuth_deg=azimuth, **scene)
    return cloud, shadow, np.ones_like(cloud)


@pytest.mark.parametrize("azimuth", [20.0, 65.0, 110.0, 150.0, 175.0, 240.0, 310.0])
def test_the_direction_of_the_sun_is_found(azimuth: float) -> None:
    fit = fit_sun(*_masks(azimuth=azimuth), TEN_METRE_AXES)
    assert fit is not None
    assert degrees_apart(fit.azimuth_deg, azimuth) <= 10
    assert fit.clear


@pytest.mark.parametrize("distance_m", [200.0, 600.0, 1000.0])
def test_it_is_found_for_low_and_high_clouds(distance_m: float) -> None:
    fit = fit_sun(*_masks(distance_m=distance_m), TEN_METRE_AXES)
    assert fit is not None
    assert degrees_apart(fit.azimuth_deg, 150.0) <= 15


@pytest.mark.parametrize("known", [None, 150.0])
@pytest.mark.parametrize("distance_m", [200.0, 450.0, 800.0])
def test_the_distance_of_the_shadows_is_found(distance_m: float, known: float | None) -> None:
    fit = fit_sun(*_masks(distance_m=distance_m), TEN_METRE_AXES, known)
    assert fit is not None
    assert fit.distance_m is not None
    near, far = fit.distance_m
    assert near <= distance_m <= far
    assert far - near <= 250


def test_all_distances_that_fit_nearly_as_well_as_the_best_are_within() -> None:
    cloud, near, valid = _masks(size=300, distance_m=250.0)
    _, far, _ = _masks(size=300, distance_m=750.0)
    fit = fit_sun(cloud, near | far, valid, TEN_METRE_AXES, 150.0)
    assert fit is not None
    assert fit.distance_m is not None
    assert fit.distance_m[0] <= 250
    assert fit.distance_m[1] >= 750


def test_a_known_sun_stays_and_where_dark_ground_lies_elsewhere_no_distance_stands_out() -> None:
    fit = fit_sun(*_masks(azimuth=150.0), TEN_METRE_AXES, 330.0)
    assert fit is not None
    assert (fit.azimuth_deg, fit.clear, fit.distance_m) == (330.0, True, None)


def test_shadows_that_fall_farther_than_is_looked_have_no_distance() -> None:
    fit = fit_sun(*_masks(size=300, distance_m=1990.0, clouds=20), TEN_METRE_AXES, 150.0)
    assert fit is not None
    assert fit.distance_m is None


def test_it_is_found_on_a_grid_that_is_turned_and_has_oblong_pixels() -> None:
    axes = PixelAxes(north=(0.03, 0.1), east=(0.06, -0.05))
    fit = fit_sun(*_masks(axes=axes, size=160, distance_m=400.0), axes)
    assert fit is not None
    assert degrees_apart(fit.azimuth_deg, 150.0) <= 15


def test_dark_ground_below_half_a_scene_does_not_hide_it() -> None:
    cloud, shadow, valid = _masks()
    dark = shadow.copy()
    dark[:, :80] = ~cloud[:, :80]
    fit = fit_sun(cloud, dark, valid, TEN_METRE_AXES)
    assert fit is not None
    assert degrees_apart(fit.azimuth_deg, 150.0) <= 10


def test_clouds_over_evenly_strewn_dark_ground_throw_no_shadow() -> None:
    cloud = np.zeros((200, 200), dtype=bool)
    cloud[50:70, 50:70] = cloud[140:150, 100:130] = True
    strewn = np.random.default_rng(0).random((200, 200)) < 0.3
    assert fit_sun(cloud, strewn, np.ones_like(cloud), TEN_METRE_AXES) is None


def test_a_scene_full_of_cloud_says_that_it_is_a_guess() -> None:
    cloud = np.random.default_rng(1).random((100, 100)) < 0.9
    fit = fit_sun(cloud, ~cloud, np.ones_like(cloud), TEN_METRE_AXES)
    assert fit is not None
    assert not fit.clear
    assert fit.distance_m is None


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (7, 11)])
def test_nothing_is_fitted_without_clouds_or_without_dark_ground(size: tuple[int, int]) -> None:
    none, every = np.zeros(size, dtype=bool), np.ones(size, dtype=bool)
    assert fit_sun(none, every, every, TEN_METRE_AXES) is None
    assert fit_sun(every, every, every, TEN_METRE_AXES) is None
    assert fit_sun(every, none, every, TEN_METRE_AXES) is None


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (1, 300), (13, 3)])
def test_small_scenes_are_fitted_without_a_fault(size: tuple[int, int]) -> None:
    cloud = np.arange(np.prod(size)).reshape(size) % 2 == 0
    fit = fit_sun(cloud, ~cloud, np.ones(size, dtype=bool), TEN_METRE_AXES)
    assert fit is None or 0 <= fit.azimuth_deg < 360


@pytest.mark.parametrize(
    "sun",
    [
        NO_SUN,
        Sun(163.4127, "metadata", (240.0, 610.0)),
        Sun(150.0, "fitted", None),
        Sun(None, "metadata", (100.0, 900.0)),
    ],
)
def test_the_tags_of_a_mask_give_the_same_sun_back(sun: Sun) -> None:
    assert sun_from_tags(sun_tags(sun)) == sun


@pytest.mark.parametrize("tags", [{}, {SUN_TAG: "south"}, {SHADOW_DISTANCE_TAG: "far"}])
def test_tags_without_a_number_give_no_sun(tags: dict[str, str]) -> None:
    assert sun_from_tags(tags) is None
