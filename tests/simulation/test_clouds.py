from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.cloud_mask import MaskClass
from cloudfree.simulation.clouds import CIRRUS, LOW_CLOUD, Sky, Sun, draw_sky, seen_through

SUN = Sun(155.0, 38.0)


@pytest.mark.parametrize(
    ("azimuth", "shadow"),
    [(180.0, (-100, 0)), (90.0, (0, -100)), (0.0, (100, 0)), (270.0, (0, 100))],
)
def test_a_shadow_lies_away_from_the_sun(azimuth: float, shadow: tuple[float, float]) -> None:
    """At 45 degrees a cloud at 1000 m throws its shadow 100 pixels of 10 m; rows count south."""
    assert Sun(azimuth, 45.0).shadow_px(1000.0) == pytest.approx(shadow, abs=1e-9)


@settings(max_examples=20)
@given(
    rows=st.integers(64, 110),
    cols=st.integers(64, 110),
    cover=st.floats(0, 1),
    seed=st.integers(0, 9),
)
def test_any_cover_is_met(rows: int, cols: int, cover: float, seed: int) -> None:
    sky = draw_sky((rows, cols), cover, SUN, 400.0, np.random.default_rng(seed))
    assert (sky.mask == MaskClass.CLOUD).mean() == pytest.approx(cover, abs=0.005)
    for plane in (sky.low, sky.cirrus, sky.dimming):
        assert plane.shape == (rows, cols)
        assert 0.0 <= plane.min() <= plane.max() <= 1.0


def test_no_cover_is_no_cloud_and_no_shadow_and_full_cover_is_cloud_everywhere() -> None:
    none = draw_sky((80, 80), 0.0, SUN, 400.0, np.random.default_rng(0))
    full = draw_sky((80, 80), 1.0, SUN, 400.0, np.random.default_rng(0))
    assert (none.mask == MaskClass.CLEAR).all()
    assert (full.mask == MaskClass.CLOUD).all()


def test_shadows_repeat_the_clouds_that_throw_them() -> None:
    sky = draw_sky((300, 300), 0.3, SUN, 700.0, np.random.default_rng(4))
    row, col = (round(step) for step in SUN.shadow_px(700.0))
    # Its faint rim is blurred by the width of the sun, and lies beside the cloud's outline.
    rows, cols = np.nonzero((sky.mask == MaskClass.SHADOW) & (sky.dimming > 0.3))

    def under_cloud(down: int, right: int) -> float:
        r, c = rows - down, cols - right
        inside = (r >= 0) & (r < 300) & (c >= 0) & (c < 300)
        return float((sky.low[r[inside], c[inside]] > 0).mean())

    assert under_cloud(row, col) > 0.97
    assert under_cloud(-row, -col) < 0.6


def _sky(low: float = 0.0, cirrus: float = 0.0, dimming: float = 0.0) -> Sky:
    return Sky(
        *(np.full((12, 12), value, dtype=np.float32) for value in (low, cirrus, dimming, 1.0))
    )


GROUND = np.full((len(OPTICAL_BANDS), 12, 12), 0.12, dtype=np.float32)


def test_a_clear_sky_changes_nothing() -> None:
    assert np.array_equal(seen_through(GROUND, _sky()), GROUND)


def test_thick_cloud_hides_the_ground() -> None:
    assert seen_through(GROUND, _sky(low=1.0))[:, 5, 5] == pytest.approx(LOW_CLOUD, rel=1e-5)


def test_low_cloud_is_bright_in_the_visible_and_dark_in_the_short_wave_infrared() -> None:
    blue, swir1, swir2 = (LOW_CLOUD[OPTICAL_BANDS.index(b)] for b in ("B02", "B11", "B12"))
    assert blue > swir1 > swir2


def test_only_high_cloud_shows_in_the_cirrus_band() -> None:
    band = OPTICAL_BANDS.index("B10")
    dark = GROUND.copy()
    dark[band] = 0.001
    assert seen_through(dark, _sky(cirrus=0.2))[band, 5, 5] > 0.05
    assert seen_through(dark, _sky(low=1.0))[band, 5, 5] < 0.005
    assert CIRRUS[band] > 50 * LOW_CLOUD[band]


def test_shadow_darkens_blue_less_than_infrared() -> None:
    kept = seen_through(GROUND, _sky(dimming=1.0))[:, 5, 5] / 0.12
    blue, nir, swir = (kept[OPTICAL_BANDS.index(b)] for b in ("B02", "B08", "B12"))
    assert 0.9 > blue > nir > swir > 0.2
