"""Shapes of clouds: how much they cover, where their shadows lie."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.mask_classes import MaskClass
from cloudfree.simulation.cloud_fields import CloudParameters, Sun, dimming, draw_atmosphere

SUN = Sun(155.0, 38.0)
KINDS = {"cumulus": (0.0, 0.0), "cirrus": (1.0, 0.0), "haze": (0.0, 1.0), "mixed": (0.3, 0.3)}


def weather(cover: float, kind: str = "mixed") -> CloudParameters:
    cirrus, haze = KINDS[kind]
    return CloudParameters(cover, SUN, 400.0, cirrus, haze)


@pytest.mark.parametrize(
    ("azimuth", "shadow"),
    [(180.0, (-100, 0)), (90.0, (0, -100)), (0.0, (100, 0)), (270.0, (0, 100))],
)
def test_a_shadow_lies_away_from_the_sun(azimuth: float, shadow: tuple[float, float]) -> None:
    """At 45 degrees a cloud at 1000 m throws its shadow 100 pixels of 10 m; rows count south."""
    assert Sun(azimuth, 45.0).shadow_px(1000.0) == pytest.approx(shadow, abs=1e-9)


@settings(max_examples=30)
@given(
    rows=st.integers(64, 110),
    cols=st.integers(64, 110),
    cover=st.floats(0, 1),
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 9),
)
def test_any_cover_is_met(rows: int, cols: int, cover: float, kind: str, seed: int) -> None:
    sky = draw_atmosphere((rows, cols), weather(cover, kind), np.random.default_rng(seed))
    assert (sky.mask == MaskClass.CLOUD).mean() == pytest.approx(cover, abs=0.005)
    for plane in (sky.low, sky.cirrus, sky.dimming):
        assert plane.shape == (rows, cols)
        assert 0.0 <= plane.min() <= plane.max() <= 1.0
    assert 0.0 <= sky.haze.min() <= sky.haze.max() <= weather(cover).haze_depth


@pytest.mark.parametrize(
    ("kind", "name"), [("cumulus", "low"), ("cirrus", "cirrus"), ("haze",) * 2]
)
def test_clouds_of_one_kind_are_of_no_other_and_grow_with_the_cover(kind: str, name: str) -> None:
    skies = [
        draw_atmosphere((90, 70), weather(cover, kind), np.random.default_rng(2))
        for cover in (0.0, 0.2, 0.5, 0.9, 1.0)
    ]
    own = [getattr(sky, name) for sky in skies]
    for less, more in pairwise(own):
        assert (more >= less).all()
        assert more.mean() > less.mean()
    for other in {"low", "cirrus", "haze"} - {name}:
        assert not any(getattr(sky, other).any() for sky in skies)


@pytest.mark.parametrize("kind", KINDS)
def test_no_cover_is_no_cloud_and_no_shadow_and_full_cover_is_cloud_everywhere(kind: str) -> None:
    none = draw_atmosphere((80, 80), weather(0.0, kind), np.random.default_rng(0))
    full = draw_atmosphere((80, 80), weather(1.0, kind), np.random.default_rng(0))
    assert (none.mask == MaskClass.CLEAR).all()
    assert (full.mask == MaskClass.CLOUD).all()


def test_shadows_repeat_the_clouds_that_throw_them() -> None:
    sky = draw_atmosphere((300, 300), CloudParameters(0.3, SUN, 700.0), np.random.default_rng(4))
    row, col = (round(step) for step in SUN.shadow_px(700.0))
    # Its faint rim is blurred by the width of the sun, and lies beside the cloud's outline.
    rows, cols = np.nonzero((sky.mask == MaskClass.SHADOW) & (sky.dimming > 0.3))

    def under_cloud(down: int, right: int) -> float:
        r, c = rows - down, cols - right
        inside = (r >= 0) & (r < 300) & (c >= 0) & (c < 300)
        return float((sky.low[r[inside], c[inside]] > 0).mean())

    assert under_cloud(row, col) > 0.97
    assert under_cloud(-row, -col) < 0.6


def test_haze_and_thin_high_cloud_throw_no_shadow() -> None:
    for kind in ("cirrus", "haze"):
        sky = draw_atmosphere((80, 80), weather(0.5, kind), np.random.default_rng(3))
        assert not sky.dimming.any(), kind


@given(rows=st.integers(-20, 20), cols=st.integers(-20, 20))
def test_the_shadow_of_a_small_cloud_lies_where_it_is_thrown(rows: int, cols: int) -> None:
    cloud = np.zeros((64, 64), dtype=np.float32)
    cloud[30:33, 30:33] = 1.0
    shadow = dimming(cloud, (float(rows), float(cols)))
    assert np.unravel_index(shadow.argmax(), shadow.shape) == (31 + rows, 31 + cols)


def test_shadows_lie_at_the_given_offset() -> None:
    """On pixels of another size or direction the caller knows where that is."""
    given = weather(0.3, "cumulus")
    drawn = draw_atmosphere((80, 80), given, np.random.default_rng(1))
    given_again = draw_atmosphere((80, 80), given, np.random.default_rng(1), given.shadow_px)
    assert np.array_equal(drawn.dimming, given_again.dimming)
    elsewhere = draw_atmosphere((80, 80), given, np.random.default_rng(1), (9.0, 9.0))
    assert not np.array_equal(drawn.dimming, elsewhere.dimming)


def test_the_same_seed_draws_the_same_sky() -> None:
    one, same, other = (
        draw_atmosphere((70, 80), weather(0.5), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for name in ("low", "cirrus", "haze", "dimming", "relief"):
        assert np.array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name)), name


def test_the_settings_of_a_kind_change_nothing_else() -> None:
    plain = draw_atmosphere((70, 80), weather(0.5), np.random.default_rng(1))
    denser = replace(weather(0.5), haze_depth=1.2)
    hazy = draw_atmosphere((70, 80), denser, np.random.default_rng(1))
    assert np.array_equal(plain.low, hazy.low)
    assert hazy.haze.max() > plain.haze.max()


def test_small_clouds_are_many_and_the_usual_ones_stay_as_they_are() -> None:
    usual = weather(0.3, "cumulus")
    layers = {
        scale: draw_atmosphere(
            (256, 256), replace(usual, scale=scale), np.random.default_rng(3)
        ).low
        for scale in (1.0, 0.1)
    }
    numbers = {
        scale: cv2.connectedComponents((low > 0.3).astype(np.uint8))[0]
        for scale, low in layers.items()
    }
    assert numbers[0.1] > 5 * numbers[1.0]
    again = draw_atmosphere((256, 256), usual, np.random.default_rng(3)).low
    assert np.array_equal(again, layers[1.0])
