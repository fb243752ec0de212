"""What clouds, haze and shadows do to the light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import MaskClass
from cloudfree.simulation.atmosphere import (
    ANGSTROM,
    CIRRUS,
    DIFFUSE,
    HAZE,
    LOW_CLOUD,
    Atmosphere,
    apply_atmosphere,
    haze_opacity,
    shaded,
)
from cloudfree.simulation.sensors import PATH

SHAPE = (12, 12)
GROUND = np.full((len(OPTICAL_BANDS), *SHAPE), 0.12, dtype=np.float32)
VISIBLE = ("B02", "B03", "B04")


def sky_of(
    low: float = 0.0,
    cirrus: float = 0.0,
    haze: float = 0.0,
    dimming: float = 0.0,
    angstrom: float = ANGSTROM,
) -> Atmosphere:
    planes = (
        np.full(SHAPE, value, dtype=np.float32) for value in (low, cirrus, haze, dimming, 1.0)
    )
    return Atmosphere(*planes, angstrom=angstrom)


def seen(sky: Atmosphere, ground: np.ndarray = GROUND) -> dict[str, float]:
    """What each band shows in the middle."""
    return dict(zip(OPTICAL_BANDS, apply_atmosphere(ground, sky)[:, 5, 5].tolist(), strict=True))


def test_a_clear_sky_changes_nothing() -> None:
    assert np.array_equal(apply_atmosphere(GROUND, sky_of()), GROUND)
    assert (sky_of().mask == MaskClass.CLEAR).all()


def test_missing_pixels_stay_missing_and_their_neighbours_do_not_change() -> None:
    gap = GROUND.copy()
    gap[:, 3, 4] = np.nan
    sky = sky_of(low=0.3, cirrus=0.2, haze=0.2, dimming=0.4)
    cloudy, whole = apply_atmosphere(gap, sky), apply_atmosphere(GROUND, sky)
    assert np.isnan(cloudy[:, 3, 4]).all()
    assert np.array_equal(cloudy[:, 4:], whole[:, 4:])


@given(bands=st.lists(st.sampled_from(OPTICAL_BANDS), min_size=1, max_size=13, unique=True))
def test_some_bands_look_as_they_do_among_all(bands: list[str]) -> None:
    sky = sky_of(low=0.3, cirrus=0.2, haze=0.5, dimming=0.4)
    places = [OPTICAL_BANDS.index(band) for band in bands]
    among_all = apply_atmosphere(GROUND, sky)[places]
    assert np.array_equal(apply_atmosphere(GROUND[places], sky, bands), among_all)


def test_thick_cloud_hides_the_ground() -> None:
    assert list(seen(sky_of(low=1.0)).values()) == pytest.approx(LOW_CLOUD.tolist(), rel=1e-5)


@pytest.mark.parametrize("colour", [LOW_CLOUD, CIRRUS, HAZE])
def test_every_cloud_is_brightest_in_the_visible_and_falls_in_the_short_wave_infrared(
    colour: np.ndarray,
) -> None:
    blue, swir1, swir2 = (colour[OPTICAL_BANDS.index(band)] for band in ("B02", "B11", "B12"))
    assert blue > swir1 > swir2


def test_only_high_cloud_shows_in_the_cirrus_band_and_the_ground_does_not() -> None:
    dark = GROUND.copy()
    dark[OPTICAL_BANDS.index("B10")] = 0.001
    assert seen(sky_of(cirrus=0.2), dark)["B10"] > 0.05
    assert seen(sky_of(low=1.0), dark)["B10"] < 0.005
    assert seen(sky_of(haze=1.0), dark)["B10"] <= 0.001 + 1e-6
    assert seen(sky_of(dimming=1.0), dark)["B10"] <= 0.001 + 1e-6


@given(name=st.sampled_from(["low", "cirrus", "haze"]), less=st.floats(0, 1), more=st.floats(0, 1))
def test_more_cloud_is_brighter_over_dark_ground(name: str, less: float, more: float) -> None:
    less, more = sorted((less, more))
    thin, thick = (seen(sky_of(**{name: amount})) for amount in (less, more))
    assert all(thick[band] >= thin[band] - 1e-6 for band in VISIBLE)


@given(depth=st.floats(0.05, 2.0), angstrom=st.floats(0.3, 2.5))
def test_haze_is_stronger_in_blue_than_in_the_short_wave_infrared(
    depth: float, angstrom: float
) -> None:
    depths = np.full((2, 2), depth, dtype=np.float32)
    opacity = [float(haze_opacity(depths, band, angstrom).max()) for band in OPTICAL_BANDS]
    assert opacity == sorted(opacity, reverse=True), "bands go up in wavelength"
    assert opacity[1] > opacity[-1]
    # Angstrom's law: the logarithm of optical depth is linear in that of wavelength.
    blue, swir = (-np.log1p(-opacity[i]) for i in (1, 12))
    assert np.log(blue / swir) == pytest.approx(angstrom * np.log(2.202 / 0.492), rel=1e-3)


@given(ground=st.floats(0, 1), dimming=st.floats(0, 1), band=st.sampled_from(OPTICAL_BANDS))
def test_a_shadow_is_darker_than_clear_and_keeps_path_and_diffuse_light(
    ground: float, dimming: float, band: str
) -> None:
    clear = np.full(SHAPE, ground, dtype=np.float32)
    shadow = shaded(clear, np.full(SHAPE, dimming, dtype=np.float32), band)
    index = OPTICAL_BANDS.index(band)
    path = min(PATH[index], clear[0, 0])
    darkest = path + DIFFUSE[index] * (clear[0, 0] - path)
    assert darkest - 1e-6 <= shadow.min() <= shadow.max() <= clear[0, 0]
    if dimming > 0.1 and ground > 0.12:
        assert shadow.max() < clear[0, 0]


def test_shadow_darkens_blue_less_than_infrared() -> None:
    kept = {band: value / 0.12 for band, value in seen(sky_of(dimming=1.0)).items()}
    assert 0.9 > kept["B02"] > kept["B08"] > kept["B12"] > 0.2


def test_cloud_counts_before_shadow() -> None:
    assert (sky_of(dimming=0.5).mask == MaskClass.SHADOW).all()
    for cloud in ({"low": 0.1}, {"cirrus": 0.1}, {"haze": 0.1}):
        assert (sky_of(dimming=0.5, **cloud).mask == MaskClass.CLOUD).all()
