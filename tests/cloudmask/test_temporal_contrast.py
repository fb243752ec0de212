"""Other dates tell cloud from bright ground, and shadow from dark ground."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.cloudmask.temporal_contrast import (
    CONTRAST_BANDS,
    MIN_PIXELS,
    Contrast,
    Light,
    agreed,
    confirmed,
    squares,
    with_candidates,
)
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.radiometry import Float32

SIDE = 24
PATCH = (slice(9, 15), slice(9, 15))
INSIDE = (slice(10, 14), slice(10, 14))
FIELD = np.array([0.05, 0.07, 0.06, 0.30, 0.20], np.float32)
SAME_LIGHT = Light(*np.array([[1.0] * 5, [0.0] * 5, [0.004] * 5], np.float32))
# Changes of reflectance in B02, B03, B04, B08, B11, on the field.
CLOUD = (0.30, 0.30, 0.29, 0.20, 0.10)
THIN_CLOUD = (0.05, 0.045, 0.04, 0.01, 0.01)
HARVESTED = (0.03, 0.05, 0.09, -0.05, 0.10)
SNOW = (0.60, 0.60, 0.60, 0.30, -0.12)
SHADOW = (-0.01, -0.02, -0.02, -0.15, -0.10)
WITHERED = (0.0, -0.01, 0.01, -0.10, 0.05)
HAZY_AND_DARK = (0.02, 0.0, 0.0, -0.15, -0.10)


def _ground(change: tuple[float, ...] = (0.0,) * 5) -> Float32:
    """A field, (band, y, x), that has changed in a patch."""
    planes = np.broadcast_to(FIELD[:, None, None], (5, SIDE, SIDE)).copy()
    planes[:, *PATCH] += np.array(change, np.float32)[:, None, None]
    return planes


@pytest.mark.parametrize(
    ("change", "cloud", "dark", "lit"),
    [
        (CLOUD, True, False, True),
        (THIN_CLOUD, True, False, True),
        (HARVESTED, False, False, False),
        (SNOW, False, False, False),
        (SHADOW, False, True, False),
        (WITHERED, False, False, False),
        (HAZY_AND_DARK, False, False, False),
        ((0.0,) * 5, False, False, True),
    ],
)
def test_a_change_is_cloud_shadow_or_ground(
    change: tuple[float, ...], cloud: bool, dark: bool, lit: bool
) -> None:
    found = Contrast.of(_ground(change), _ground(), SAME_LIGHT)
    assert found.cloud[INSIDE].all() == found.cloud.any() == cloud
    assert found.dark[INSIDE].all() == found.dark.any() == dark
    assert found.lit[INSIDE].all() == lit
    assert found.seen.all()


def test_cloud_is_found_in_other_light_and_without_the_band_of_snow() -> None:
    dimmer = Light(*np.array([[0.5] * 5, [0.02] * 5, [0.004] * 5], np.float32))
    today = _ground(CLOUD) * np.float32(0.5) + np.float32(0.02)
    assert Contrast.of(today, _ground(), dimmer).cloud[INSIDE].all()
    four = Light(*(part[:4] for part in (dimmer.gain, dimmer.offset, dimmer.scatter)))
    assert Contrast.of(today[:4], _ground()[:4], four).cloud[INSIDE].all()


def test_what_lies_within_the_scatter_of_clear_ground_is_no_cloud() -> None:
    uncertain = Light(SAME_LIGHT.gain, SAME_LIGHT.offset, np.full(5, 0.03, np.float32))
    assert not Contrast.of(_ground(THIN_CLOUD), _ground(), uncertain).cloud.any()


@pytest.mark.parametrize("then", [SNOW, (0.20, 0.19, 0.18, 0.12, 0.05)])
def test_ground_without_the_snow_or_the_haze_of_another_date_lies_in_no_shadow(
    then: tuple[float, ...],
) -> None:
    """Without the band at 1.6 um, in which snow is dark, as in products of four bands."""
    four = Light(*(part[:4] for part in (SAME_LIGHT.gain, SAME_LIGHT.offset, SAME_LIGHT.scatter)))
    assert Contrast.of(_ground(SHADOW)[:4], _ground()[:4], four).dark[INSIDE].all()
    assert not Contrast.of(_ground()[:4], _ground(then)[:4], four).dark.any()


def test_hidden_ground_says_nothing() -> None:
    hidden = np.full((5, SIDE, SIDE), np.nan, np.float32)
    for today, then in ((_ground(CLOUD), hidden), (hidden, _ground())):
        found = Contrast.of(today, then, SAME_LIGHT)
        assert not (found.cloud | found.dark | found.lit | found.seen).any()


def test_all_dates_that_show_the_ground_have_to_agree() -> None:
    was_bright = Contrast.of(_ground(CLOUD), _ground(CLOUD), SAME_LIGHT)
    was_dark = Contrast.of(_ground(CLOUD), _ground(), SAME_LIGHT)
    hidden = Contrast.of(_ground(CLOUD), np.full_like(_ground(), np.nan), SAME_LIGHT)
    assert not agreed([was_bright, was_dark]).cloud.any()
    assert agreed([was_dark, hidden]).cloud[INSIDE].all()
    assert not agreed([hidden, hidden]).cloud.any()


@given(st.integers(0, 1000), st.floats(0.4, 2.5), st.floats(-0.05, 0.05))
def test_the_light_is_that_of_the_ground_whatever_a_fifth_of_it_has_become(
    seed: int, gain: float, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    then = rng.uniform(0.02, 0.4, (5, 2000)).astype(np.float32)
    today = np.float32(gain) * then + np.float32(offset)
    today += rng.normal(0, 0.003, today.shape).astype(np.float32)
    today[:, :400] += np.float32(0.3)
    light = Light.fit(today, then)
    assert light is not None
    np.testing.assert_allclose(light.gain, gain, atol=0.03)
    np.testing.assert_allclose(light.offset, offset, atol=0.01)
    assert (light.scatter < 0.01).all()


def test_too_little_ground_has_no_light() -> None:
    ground = np.zeros((5, MIN_PIXELS - 1), np.float32)
    assert Light.fit(ground, ground) is None


@given(
    arrays(np.float32, st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9)),
           elements=st.floats(0, 1, width=32)),
    st.integers(1, 4),
)  # fmt: skip
def test_squares_have_the_mean_of_their_pixels(planes: Float32, side: int) -> None:
    found = squares(planes, side)
    height, width = (-(-length // side) for length in planes.shape[1:])
    assert found.shape == (2, height, width)
    whole = planes[:, :side, :side]
    if whole.shape[1:] == (side, side):
        np.testing.assert_allclose(found[:, 0, 0], whole.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[:, -1, -1].max() <= planes.max() + 1e-6, True)


def test_a_square_with_a_hidden_pixel_is_hidden() -> None:
    planes = np.zeros((1, 4, 4), np.float32)
    planes[0, 1, 1] = np.nan
    assert np.isnan(squares(planes, 2)[0]).tolist() == [[True, False], [False, False]]


def test_squares_become_pixels_again() -> None:
    bits = np.array([[True, False], [False, True]])
    found = Contrast(bits, bits, bits, bits).of_pixels(2, (slice(1, 4), slice(0, 3)))
    expected = [[True, True, False], [False, False, True], [False, False, True]]
    assert found.cloud.tolist() == expected


def _found(**bits: np.ndarray) -> Contrast:
    none = np.zeros((1, 12), np.bool_)
    return Contrast(**{**dict.fromkeys(("cloud", "dark", "lit", "seen"), none), **bits})


def test_cloud_is_confirmed_beside_clouds_and_shadow_where_one_is_thrown() -> None:
    """A cloud throws its shadow one to four pixels to the right of it."""
    axes = PixelAxes((-0.1, 0.0), (0.0, 0.1))
    to_the_right = ShadowProjection.away_from_sun(270.0, axes, (10.0, 40.0))
    mask = np.array([[0, 1, 0, 0, 0, 0, 0, 3, 255, 0, 0, 0]], np.uint8)
    everywhere = np.ones(mask.shape, np.bool_)
    bright = with_candidates(mask, _found(cloud=everywhere))
    assert confirmed(bright, 2, to_the_right).tolist() == [[1, 1, 1, 1, 0, 0, 0, 3, 255, 0, 0, 0]]
    dark = with_candidates(mask, _found(dark=everywhere))
    assert confirmed(dark, 2, to_the_right).tolist() == [[0, 1, 2, 2, 2, 2, 0, 3, 255, 0, 0, 0]]


def test_cloud_that_is_found_throws_shadows_too() -> None:
    axes = PixelAxes((-0.1, 0.0), (0.0, 0.1))
    mask = np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], np.uint8)
    cloud, dark = (np.isin(np.arange(12), places)[None] for places in ((1, 2), (7, 11)))
    marked = with_candidates(mask, _found(cloud=cloud, dark=dark))
    thrown = ShadowProjection.away_from_sun(270.0, axes, (50.0, 50.0))
    assert confirmed(marked, 2, thrown).tolist() == [[1, 1, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0]]


def test_a_shadow_on_ground_as_bright_as_it_was_is_none() -> None:
    mask = np.array([[1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]], np.uint8)
    lit = np.isin(np.arange(12), (0, 1))[None]
    marked = with_candidates(mask, _found(lit=lit))
    assert marked[0, :3].tolist() == [MaskClass.CLOUD, MaskClass.CLEAR, MaskClass.SHADOW]


def test_bands_are_visible_first() -> None:
    assert CONTRAST_BANDS == ("B02", "B03", "B04", "B08", "B11")
