"""Any clear scene under any weather."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import CloudKind
from cloudfree.core.mask_classes import MaskClass, is_cloud_or_shadow
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.add_clouds import (
    KINDS,
    cloud_over,
    draw_cloud_parameters,
    make_atmosphere,
)
from cloudfree.simulation.atmosphere import LOW_CLOUD
from cloudfree.simulation.cloud_fields import Sun
from cloudfree.simulation.cloud_layer import CloudLayer
from tests.factories.cloud_edges import specks, steepness
from tests.factories.rasters import FIELD


def field(rows: int = 60, cols: int = 70) -> Float32:
    level = np.reshape(FIELD, (13, 1, 1)).astype(np.float32)
    noise = np.random.default_rng(0).normal(1.0, 0.1, (13, rows, cols)).astype(np.float32)
    return level * noise


def layer(cover: float = 0.5, side: int = 64) -> CloudLayer:
    """Real cloud over the upper part of its scene."""
    opacity = np.zeros((side, side), dtype=np.float32)
    opacity[: round(cover * side)] = 0.9
    return CloudLayer(opacity, np.broadcast_to(LOW_CLOUD[:, None, None], (13, side, side)))


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(max_examples=20)
@given(
    kind=st.sampled_from(KINDS),
    rows=st.integers(20, 80),
    cols=st.integers(20, 80),
    cover=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_the_scene_is_changed_where_the_mask_says_and_nowhere_else(
    kind: CloudKind, rows: int, cols: int, cover: float, seed: int
) -> None:
    clear = field(rows, cols)
    cloudy, mask = cloud_over(
        clear, OPTICAL_BANDS, rng(seed), kind=kind, cover=cover, layers=[layer()]
    )
    hidden = is_cloud_or_shadow(mask)
    assert cloudy.shape == clear.shape
    assert cloudy.dtype == np.float32
    assert mask.dtype == np.uint8
    assert np.array_equal(cloudy[:, ~hidden], clear[:, ~hidden])
    changed = (cloudy != clear).any(axis=0)
    assert not hidden.any() or changed[hidden].mean() > 0.9
    assert (cloudy >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_cover_changes_nothing(kind: CloudKind) -> None:
    cloudy, mask = cloud_over(field(), OPTICAL_BANDS, rng(), kind=kind, cover=0.0, layers=[layer()])
    assert np.array_equal(cloudy, field())
    assert (mask == MaskClass.CLEAR).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_clouds_and_another_others(kind: CloudKind) -> None:
    def clouds(seed: int) -> Float32:
        return cloud_over(field(), OPTICAL_BANDS, rng(seed), kind=kind, layers=[layer()])[0]

    assert np.array_equal(clouds(1), clouds(1))
    assert not np.array_equal(clouds(1), clouds(2))


@settings(max_examples=10)
@given(kind=st.sampled_from(KINDS), bands=st.permutations(OPTICAL_BANDS), count=st.integers(1, 13))
def test_bands_are_known_by_their_names(kind: CloudKind, bands: list[str], count: int) -> None:
    own = bands[:count]
    places = [OPTICAL_BANDS.index(band) for band in own]
    whole, _ = cloud_over(field(), OPTICAL_BANDS, rng(), kind=kind, layers=[layer()])
    some, _ = cloud_over(field()[places], own, rng(), kind=kind, layers=[layer()])
    assert np.array_equal(some, whole[places])


def test_missing_pixels_stay_missing_and_are_not_hidden() -> None:
    clear = field()
    clear[:, 10:20, 30:] = np.nan
    cloudy, mask = cloud_over(clear, OPTICAL_BANDS, rng(), kind="haze", cover=1.0)
    assert np.array_equal(np.isnan(cloudy), np.isnan(clear))
    assert np.array_equal(mask == MaskClass.CLOUD, ~np.isnan(clear[0]))
    assert np.array_equal(mask == MaskClass.NODATA, np.isnan(clear[0]))


def test_the_sun_that_is_given_moves_shadows_and_nothing_else() -> None:
    skies = [
        make_atmosphere(
            (60, 60), draw_cloud_parameters(rng(), "cumulus", 0.3, Sun(azimuth, 80.0)), rng(8)
        )
        for azimuth in (90.0, 270.0)
    ]
    assert not np.array_equal(skies[0].dimming, skies[1].dimming)
    assert draw_cloud_parameters(rng(), sun=Sun(1.0, 2.0)).colour == pytest.approx(
        draw_cloud_parameters(rng()).colour
    )
    assert (
        draw_cloud_parameters(rng(), sun=Sun(1.0, 2.0)).height_m
        == draw_cloud_parameters(rng()).height_m
    )


@pytest.mark.parametrize(("kind", "low", "cirrus", "haze"), [
    ("cumulus", True, False, False), ("cirrus", False, True, False), ("haze", False, False, True),
    ("real", True, False, False),
])  # fmt: skip
def test_a_kind_is_of_itself_alone(kind: CloudKind, low: bool, cirrus: bool, haze: bool) -> None:
    sky = make_atmosphere((60, 60), draw_cloud_parameters(rng(), kind, 0.5), rng(), [layer()])
    assert (sky.low.any(), sky.cirrus.any(), sky.haze.any()) == (low, cirrus, haze)


def test_mixed_weather_is_of_every_kind() -> None:
    drawn = [draw_cloud_parameters(rng(seed)) for seed in range(60)]
    assert {weather.real for weather in drawn} == {True, False}
    for name in ("cirrus", "haze"):
        shares = [getattr(weather, name) for weather in drawn]
        assert min(shares) < 0.05
        assert max(shares) > 0.5


@settings(max_examples=10)
@given(cover=st.floats(0.1, 0.9), seed=st.integers(0, 20))
def test_real_clouds_cover_no_more_than_about_what_was_asked_for(cover: float, seed: int) -> None:
    weather = draw_cloud_parameters(rng(seed), "real", cover, Sun(180.0, 30.0))
    overcast = make_atmosphere((200, 200), weather, rng(seed), [layer(1.0)])
    assert (overcast.low > 0).mean() <= cover + 0.2
    scattered = make_atmosphere((200, 200), weather, rng(seed), [layer(0.1)])
    assert (scattered.low > 0).mean() <= max(cover + 0.2, 0.5)


@pytest.mark.parametrize("cover", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_real_clouds_cover_what_was_asked_for_in_the_mean(cover: float) -> None:
    """Single draws miss it by more than 0.2 now and then: whole layers are laid side by side."""
    found = []
    for seed in range(12):
        parameters = draw_cloud_parameters(rng(seed), "real", cover, Sun(180.0, 30.0))
        atmosphere = make_atmosphere((200, 200), parameters, rng(seed), [layer(1.0)])
        found.append((atmosphere.low > 0).mean())
    assert np.mean(found) == pytest.approx(cover, abs=0.1)
    assert np.sum(np.abs(np.array(found) - cover) > 0.2) <= 1


def test_drawn_clouds_fall_in_the_short_wave_infrared_whatever_their_colour() -> None:
    for seed in range(30):
        colour = dict(zip(OPTICAL_BANDS, draw_cloud_parameters(rng(seed)).colour, strict=True))
        assert colour["B02"] > colour["B11"] > colour["B12"]
        assert colour["B10"] < 0.06


def test_real_clouds_need_a_donor_with_the_bands() -> None:
    blind = layer()
    without = blind.colour.copy()
    without[OPTICAL_BANDS.index("B10")] = np.nan
    with pytest.raises(ValueError, match=r"no real cloud with bands B01, .*B12"):
        cloud_over(
            field(), OPTICAL_BANDS, rng(), kind="real", layers=[CloudLayer(blind.opacity, without)]
        )
    visible = ("B02", "B03", "B04")
    places = [OPTICAL_BANDS.index(band) for band in visible]
    _, mask = cloud_over(
        field()[places], visible, rng(), kind="real", cover=0.9,
        layers=[CloudLayer(blind.opacity, without)],
    )  # fmt: skip
    assert is_cloud_or_shadow(mask).any()


def test_drawn_clouds_end_softly_in_any_weather() -> None:
    """Real ones change by 0.02 of reflectance from pixel to pixel there; see `test_scene.py`."""
    clear = np.broadcast_to(np.reshape(FIELD, (13, 1, 1)), (13, 256, 256)).astype(np.float32)
    skies = [
        cloud_over(clear, OPTICAL_BANDS, rng(seed), kind="cumulus", cover=0.5)[0][1]
        for seed in range(8)
    ]
    assert max(steepness(blue) for blue in skies) < 0.06
    assert np.median([specks(blue) for blue in skies]) < 15
