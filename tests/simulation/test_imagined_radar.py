"""Backscatter drawn for clear images without SAR."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.imagined_radar import ImaginedRadar, blur, colour_terms, fit_radar


def smooth_ground(seed: int) -> Float32:
    """Reflectance, (13, 64, 64), of ground that varies over several pixels."""
    noise = np.random.default_rng(seed).random((13, 64, 64), np.float32)
    return (0.1 + 2.0 * np.abs(blur(noise, 4.0) - 0.5)).astype(np.float32)


def radar_of(clear: Float32) -> Float32:
    """Backscatter, (2, y, x), that the square root of near infrared and red explains."""
    vv = 0.2 + 0.6 * np.sqrt(clear[7])
    vh = 0.1 + 0.4 * np.sqrt(clear[3])
    noise = np.random.default_rng(9).normal(0.0, 0.01, (2, *vv.shape))
    return (np.stack([vv, vh]) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def radar() -> ImaginedRadar:
    return fit_radar([(ground, radar_of(ground)) for ground in map(smooth_ground, range(3))])


def test_terms_are_a_constant_nine_of_first_and_all_of_second_degree() -> None:
    terms = colour_terms(smooth_ground(0))
    assert terms.shape == (1 + 9 + 45, 64 * 64)
    assert (terms[0] == 1.0).all()


def test_a_blur_keeps_a_constant_image() -> None:
    flat = np.full((2, 16, 16), 0.3, np.float32)
    np.testing.assert_allclose(blur(flat, 2.0), flat, rtol=1e-6)


def test_a_draw_follows_the_colours_and_stays_in_range(radar: ImaginedRadar) -> None:
    clear = smooth_ground(11)
    draws = [radar.draw(np.random.default_rng(seed), clear) for seed in range(40)]
    assert draws[0].shape == (2, 64, 64)
    assert draws[0].dtype == np.float32
    assert min(draw.min() for draw in draws) >= 0.0
    assert max(draw.max() for draw in draws) <= 1.0
    mean = np.mean(draws, axis=0)
    for drawn, true in zip(mean, blur(radar_of(clear), 2.0), strict=True):
        assert np.corrcoef(drawn.ravel(), true.ravel())[0, 1] > 0.8


def test_a_draw_depends_on_the_seed_alone(radar: ImaginedRadar) -> None:
    clear = smooth_ground(12)
    first, again, other = (radar.draw(np.random.default_rng(seed), clear) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
