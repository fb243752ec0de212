"""Clear ground made different."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.training.detector.ground import (
    AIR,
    BLUE,
    GREEN,
    NIR,
    RED,
    SNOW,
    SWIR,
    as_desert,
    atmospherically_corrected,
    recoloured,
    shows_snow,
    under_snow,
    with_roofs,
    with_sea,
)

SEEDS = st.integers(0, 2**16)


def _ground(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (AIR + rng.uniform(0.02, 0.3, (13, 32, 32))).astype(np.float32)


@given(SEEDS)
def test_ground_of_other_colours_keeps_the_light_of_the_air(seed: int) -> None:
    ground = _ground()
    changed = recoloured(ground, np.random.default_rng(seed))
    assert changed.dtype == np.float32
    assert (changed >= AIR - 1e-6).all()
    # Darker and brighter pixels of a band stay in order, but for those at the greatest.
    order = np.argsort(ground[NIR].ravel())
    assert (np.diff(changed[NIR].ravel()[order]) >= -1e-6).all()


@given(SEEDS)
def test_snow_is_bright_green_and_dark_in_the_short_wave(seed: int) -> None:
    bare = np.broadcast_to(AIR + np.float32(0.15), (13, 64, 64)).astype(np.float32)
    snowy, share = under_snow(bare, np.random.default_rng(seed))
    deep = share > 0.9
    assert ((share >= 0) & (share <= 1)).all()
    assert (snowy[GREEN][deep] > snowy[SWIR][deep]).all()
    np.testing.assert_allclose(snowy[:, share == 0], bare[:, share == 0])


def test_forest_holds_less_snow_than_fields() -> None:
    ground = np.broadcast_to(AIR + np.float32(0.15), (13, 64, 64)).astype(np.float32).copy()
    ground[NIR, :, :32] = 0.5  # green leaves
    shares = [under_snow(ground, np.random.default_rng(seed))[1] for seed in range(8)]
    assert np.mean(shares, axis=(0, 1))[:32].mean() < np.mean(shares, axis=(0, 1))[32:].mean()


def test_snow_is_found_by_its_index_and_water_is_not_snow() -> None:
    ground = _ground()
    ground[:, 0, 0] = SNOW[:, 0, 0]
    ground[:, 0, 1] = 0.05  # water: bright in nothing
    ground[SWIR, 0, 1] = 0.001
    assert shows_snow(ground)[0, 0]
    assert not shows_snow(ground)[0, 1]


def test_water_under_haze_has_the_index_of_snow_and_is_too_dark_for_it() -> None:
    ground = _ground()
    ground[:, 0, 0], ground[SWIR, 0, 0] = 0.15, 0.02
    assert not shows_snow(ground)[0, 0]


def test_sand_is_redder_and_brighter_than_the_ground_it_hides() -> None:
    ground = np.broadcast_to(AIR + np.float32(0.05), (13, 64, 64)).astype(np.float32).copy()
    ground[RED, 0, 0] = -0.01  # as L2A has over water
    for seed in range(8):
        desert = as_desert(ground, np.random.default_rng(seed))
        sand = desert[RED] > 0.2
        assert sand.any()
        assert (desert[RED][sand] > desert[BLUE][sand]).all()
        assert np.isfinite(desert).all()


def test_a_sea_is_dark_in_the_infrared_and_leaves_the_land_as_it_is() -> None:
    ground = np.broadcast_to(AIR + np.float32(0.3), (13, 64, 64)).astype(np.float32)
    wet = [with_sea(ground, np.random.default_rng(seed)) for seed in range(8)]
    seas = [scene[NIR] < 0.15 for scene in wet]
    assert sum(sea.any() for sea in seas) >= 4
    land = np.abs(np.stack(wet)[:, NIR] - ground[NIR]) < 1e-3
    assert land.any()


@given(SEEDS)
def test_correction_takes_more_of_blue_than_of_red(seed: int) -> None:
    scene = np.full((13, 16, 16), 0.2, np.float32)
    corrected = atmospherically_corrected(scene, np.random.default_rng(seed))
    blue, red = (corrected[OPTICAL_BANDS.index(band)].mean() for band in ("B02", "B04"))
    assert blue < red
    assert (corrected > 0).all()


@given(SEEDS)
def test_roofs_are_drawn_on_the_ground_and_the_cirrus_band_does_not_see_them(seed: int) -> None:
    ground = np.broadcast_to(AIR + np.float32(0.05), (13, 64, 64)).astype(np.float32)
    town = with_roofs(ground, np.random.default_rng(seed))
    changed = (town != ground).any(axis=0)
    assert changed.any()
    cirrus = OPTICAL_BANDS.index("B10")
    np.testing.assert_array_equal(town[cirrus], ground[cirrus])
    assert np.isfinite(town).all()
