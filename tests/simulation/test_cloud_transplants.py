"""Clouds of one place laid over another: what they hide, and what they leave as it is."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.radiometry import Float32
from cloudfree.networks.cloudfree_s import hidden_ground, image_cloud_score
from cloudfree.simulation.cloud_transplants import (
    NEAR_INFRARED,
    SHORT_WAVE,
    CloudSources,
    cover_partly,
    cut_transplant,
    find_shadow,
    fractal_noise,
    lay_clouds,
    random_window,
)

SIDE = 64


def ground(seed: int = 0) -> Float32:
    """Vegetation with some texture: (13, y, x)."""
    level = np.array([0.1, 0.07, 0.08, 0.06, 0.1, 0.2, 0.25, 0.3, 0.3, 0.1, 0.002, 0.2, 0.1])
    texture = np.random.default_rng(seed).uniform(0.9, 1.1, (1, SIDE, SIDE))
    return (level[:, None, None] * texture).astype(np.float32)


def cloudy(clear: Float32) -> Float32:
    """White cloud in the upper left quarter, shadow in the lower right one."""
    image = clear.copy()
    image[:, : SIDE // 2, : SIDE // 2] = 0.75
    image[:, SIDE // 2 :, SIDE // 2 :] *= 0.4
    return image


@pytest.fixture(scope="module")
def sources() -> CloudSources:
    found = CloudSources()
    found.add(cloudy(ground()), ground())
    found.add(np.full_like(ground(), 0.8), None)
    return found


def test_an_image_is_sorted_by_its_clouds(sources: CloudSources) -> None:
    assert len(sources.cloudy) == 2
    assert len(sources.transplants) == 1
    assert [float(image.max()) for image in sources.overcast] == [pytest.approx(0.8)]


def test_a_transplant_has_the_cloud_the_shadow_and_nothing_between() -> None:
    own = cut_transplant(cloudy(ground()), ground())
    assert own.opacity[0, 8:24, 8:24].min() == 1.0
    assert own.opacity[0, 40:, 40:].max() == 0.0
    assert own.left[NEAR_INFRARED, 44:60, 44:60].mean() == pytest.approx(0.4, abs=0.1)
    assert own.left[NEAR_INFRARED, 48:, :16].mean() == pytest.approx(1.0, abs=0.1)
    assert own.added[:, 40:, 40:].max() < 0.05


def test_change_of_the_ground_between_the_dates_is_no_cloud() -> None:
    own = cut_transplant(1.1 * ground(), ground())
    assert own.added.max() < 0.01
    assert own.left.min() > 0.95


def test_clouds_brighten_some_of_the_ground_and_the_same_draw_gives_the_same(
    sources: CloudSources,
) -> None:
    clear = ground(1)
    scores = []
    for seed in range(12):
        laid = lay_clouds(np.random.default_rng(seed), clear, sources)
        again = lay_clouds(np.random.default_rng(seed), clear, sources)
        assert np.array_equal(laid, again)
        assert laid.shape == clear.shape
        assert laid.dtype == np.float32
        assert 0.0 <= laid.min() <= laid.max() <= 1.0
        scores.append(float(image_cloud_score(laid).mean()))
    assert max(scores) > 0.3
    assert np.ptp(scores) > 0.2


def test_shadow_is_dark_in_both_infrared_bands() -> None:
    clear = ground()
    shaded, dry = clear.copy(), clear.copy()
    shaded[[NEAR_INFRARED, SHORT_WAVE], 20:40, 20:40] *= 0.5
    dry[NEAR_INFRARED, 20:40, 20:40] *= 0.5
    assert find_shadow(shaded, clear)[24:36, 24:36].all()
    assert not find_shadow(shaded, clear)[:16].any()
    assert not find_shadow(dry, clear).any()


def test_images_are_cut_and_turned_together() -> None:
    image = np.arange(SIDE * SIDE, dtype=np.float32).reshape(1, SIDE, SIDE)
    for seed in range(8):
        one, other = random_window(np.random.default_rng(seed), [image, -image], 16)
        assert one.shape == (1, 16, 16)
        assert np.array_equal(one, -other)


def test_noise_covers_its_range() -> None:
    noise = fractal_noise(np.random.default_rng(0), 128)
    assert noise.shape == (128, 128)
    assert (noise.min(), noise.max()) == (0.0, 1.0)
    assert 0.3 < noise.mean() < 0.7


def test_covers_hide_a_part_of_the_ground_and_not_all_of_it() -> None:
    sources = CloudSources()
    sources.add(cloudy(ground()), ground())
    covers = list(cover_partly((7, 1), ground(1), sources, times=3))
    assert len(covers) == 3
    for image, hidden in covers:
        assert 0.15 < hidden.mean() < 0.65
        assert np.array_equal(hidden, hidden_ground(image))
    again = list(cover_partly((7, 1), ground(1), sources, times=3))
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(covers, again, strict=True))


def test_bright_ground_without_clouds_is_not_hidden() -> None:
    roofs = ground(1)
    roofs[:, 40:56, 8:56] = 0.6
    assert hidden_ground(roofs)[44:52, 12:52].all()
    sources = CloudSources()
    sources.add(cloudy(ground()), ground())
    covers = list(cover_partly((7, 1), roofs, sources, times=3))
    assert len(covers) == 3
    for image, hidden in covers:
        assert not hidden[44:52, 12:52].any()
        assert np.abs(image - roofs).max(axis=0)[hidden].mean() > 0.1
