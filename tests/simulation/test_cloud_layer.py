"""Real cloud, cut out of an image of which everything is known, and put elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.atmosphere import LOW_CLOUD, Atmosphere, apply_atmosphere
from cloudfree.simulation.cloud_fields import CloudParameters, Sun, draw_atmosphere
from cloudfree.simulation.cloud_layer import DARKEST, CloudLayer, cut_layer, spread_layers
from cloudfree.simulation.noise import fractal_noise
from tests.factories.rasters import FIELD

SIDE = 128
BLUE = OPTICAL_BANDS.index("B02")


def ground(seed: int = 0) -> Float32:
    """Fields with texture, (13, y, x)."""
    texture = 1.0 + 0.15 * fractal_noise((SIDE, SIDE), np.random.default_rng(seed), 0.6, 20.0)
    return np.asarray(np.reshape(FIELD, (13, 1, 1)) * texture, dtype=np.float32)


def drawn(cover: float = 0.4) -> Atmosphere:
    """Low clouds that throw no shadow."""
    weather = CloudParameters(cover, Sun(150.0, 40.0), 300.0, cirrus=0.0)
    sky = draw_atmosphere((SIDE, SIDE), weather, np.random.default_rng(5))
    return replace(sky, dimming=np.zeros_like(sky.low))


def over(layer: CloudLayer, clear: Float32) -> Float32:
    nothing = np.zeros_like(layer.opacity)
    sky = Atmosphere(layer.opacity, nothing, nothing, nothing, nothing + 1.0, layer.colour)
    return apply_atmosphere(clear, sky)


def correlation(one: Float32, other: Float32) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_a_pair_without_a_cloud_gives_none() -> None:
    layer = cut_layer(ground(), ground(), OPTICAL_BANDS)
    assert layer.cover == 0
    assert np.array_equal(over(layer, ground(1)), ground(1))


def test_a_small_change_of_the_ground_is_no_cloud() -> None:
    # Bare soil and another sun: a few hundredths of reflectance, more in red than in blue.
    harvested = ground() * np.reshape(np.linspace(1.1, 1.5, 13), (13, 1, 1)).astype(np.float32)
    assert cut_layer(harvested, ground(), OPTICAL_BANDS).cover == 0


def test_the_opacity_of_known_clouds_is_found() -> None:
    sky = drawn(0.95)  # so thick that no ground is seen in its midst
    layer = cut_layer(apply_atmosphere(ground(), sky), ground(), OPTICAL_BANDS)
    assert correlation(layer.opacity, sky.low) > 0.97
    assert layer.opacity[sky.low > 0.95].mean() > 0.9
    assert np.abs(layer.opacity - sky.low).mean() < 0.05


def test_what_was_clear_stays_clear() -> None:
    import cv2

    sky = drawn(0.3)
    layer = cut_layer(apply_atmosphere(ground(), sky), ground(), OPTICAL_BANDS)
    distance = cv2.distanceTransform((sky.low == 0).astype(np.uint8), cv2.DIST_L2, 5)
    assert (distance > 8).mean() > 0.1
    assert not layer.opacity[distance > 8].any()


def test_over_its_own_ground_a_layer_gives_back_the_donor() -> None:
    cloudy = apply_atmosphere(ground(), drawn())
    again = over(cut_layer(cloudy, ground(), OPTICAL_BANDS), ground())
    assert np.abs(again - cloudy)[BLUE].mean() < 0.02
    assert correlation(again[BLUE], cloudy[BLUE]) > 0.98


def test_the_ground_of_the_donor_does_not_come_along() -> None:
    """Even where it has changed between the two dates: thin cloud over other ground is smooth."""
    low = np.full((SIDE, SIDE), 0.35, dtype=np.float32)
    low[:24, :24] = 1.0  # so that the brightness of dense cloud is measurable
    thin = replace(drawn(1.0), low=low)
    clear = 0.8 * ground(0) + 0.2 * ground(7)
    layer = cut_layer(apply_atmosphere(ground(0), thin), clear, OPTICAL_BANDS)
    assert layer.opacity[40:, 40:].mean() == pytest.approx(0.35, abs=0.08)
    shown, texture = _fine(over(layer, np.full_like(clear, 0.1))[BLUE]), _fine(ground(0)[BLUE])
    assert shown[40:, 40:].std() < 0.35 * texture.std()
    assert abs(correlation(shown[40:, 40:], texture[40:, 40:])) < 0.3


def test_over_snow_the_difference_is_what_is_carried() -> None:
    snow = np.full((13, SIDE, SIDE), 0.85, dtype=np.float32)
    sky = drawn(0.5)
    brighter = snow + 0.1 * sky.low
    layer = cut_layer(brighter.astype(np.float32), snow, OPTICAL_BANDS)
    assert np.isfinite(layer.opacity).all()
    assert layer.opacity.max() < 0.2, "opacity is undetermined, and is not made up"


@given(bands=st.lists(st.sampled_from(OPTICAL_BANDS), unique=True))
@settings(max_examples=10)
def test_a_layer_has_the_bands_of_its_donor(bands: list[str]) -> None:
    own = tuple({"B02": 0, "B03": 0, "B04": 0, **dict.fromkeys(bands)})
    places = [OPTICAL_BANDS.index(band) for band in own]
    cloudy = apply_atmosphere(ground(), drawn())
    layer = cut_layer(cloudy[places], ground()[places], own)
    assert layer.has(own)
    assert layer.has(OPTICAL_BANDS) == (len(own) == 13)
    whole = cut_layer(cloudy, ground(), OPTICAL_BANDS)
    assert np.array_equal(layer.opacity, whole.opacity)
    assert np.array_equal(layer.colour[places], whole.colour[places])


def test_missing_pixels_of_a_donor_hold_no_cloud() -> None:
    cloudy = apply_atmosphere(ground(), drawn(1.0))
    cloudy[:, :40] = np.nan
    layer = cut_layer(cloudy, ground(), OPTICAL_BANDS)
    assert np.isfinite(layer.colour).all()
    assert not layer.opacity[:30].any()
    assert layer.opacity[60:].mean() > 0.5


def test_no_cloud_is_black_in_any_band() -> None:
    """Where the ground was brighter on the clear day, the difference would make it so."""
    clear = ground()
    clear[OPTICAL_BANDS.index("B11")] += 0.6
    layer = cut_layer(apply_atmosphere(ground(), drawn()), clear, OPTICAL_BANDS)
    assert (layer.colour >= DARKEST[:, None, None] - 1e-6).all()


@settings(max_examples=8)
@given(rows=st.integers(40, 200), cols=st.integers(40, 200), seed=st.integers(0, 99))
def test_layers_spread_over_any_scene(rows: int, cols: int, seed: int) -> None:
    layer = cut_layer(apply_atmosphere(ground(), drawn(0.6)), ground(), OPTICAL_BANDS)
    wide = spread_layers([layer], (rows, cols), np.random.default_rng(seed))
    again = spread_layers([layer], (rows, cols), np.random.default_rng(seed))
    assert wide.opacity.shape == (rows, cols)
    assert wide.colour.shape == (13, rows, cols)
    assert np.array_equal(wide.opacity, again.opacity)
    assert 0 <= wide.opacity.min() <= wide.opacity.max() <= 1
    thick = wide.opacity > 0.9
    assert (wide.colour[BLUE][thick] > 0.5 * LOW_CLOUD[BLUE]).all()


def test_a_clear_layer_spreads_to_a_clear_one_and_an_overcast_one_to_overcast() -> None:
    colour = np.broadcast_to(LOW_CLOUD[:, None, None], (13, SIDE, SIDE))
    for value in (0.0, 1.0):
        layer = CloudLayer(np.full((SIDE, SIDE), value, dtype=np.float32), colour)
        wide = spread_layers([layer], (300, 200), np.random.default_rng(0))
        assert wide.opacity == pytest.approx(np.full((300, 200), value), abs=1e-5)


def read(path: Path) -> Float32:
    with rasterio.open(path) as file:
        return np.asarray(file.read() / 10_000, dtype=np.float32)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", ["4065", "4294", "4438", "5254", "5278"])
def test_real_cumulus_over_flat_ground_shows_little_of_the_donor(data: Path, name: str) -> None:
    cloudy, clear = (
        read(data / "triplets" / f"{name}_s2_{kind}.tif") for kind in ("cloudy", "clear")
    )
    layer = cut_layer(cloudy, clear, OPTICAL_BANDS)
    assert 0.2 < layer.cover < 0.95
    shown = over(layer, np.full_like(clear, 0.1))[BLUE]
    thin = (layer.opacity > 0) & (layer.opacity < 0.5)
    assert abs(correlation(_fine(shown)[thin], _fine(clear[BLUE])[thin])) < 0.15
    again = over(layer, clear)[BLUE]
    assert correlation(again, cloudy[BLUE]) > 0.97


def _fine(plane: Float32) -> Float32:
    import cv2

    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), 4.0), dtype=np.float32)
