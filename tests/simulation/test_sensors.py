"""What Sentinel-1 and Sentinel-2 see of a landscape through clear air."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.radiometry import decibel
from cloudfree.simulation.land_cover import MATERIALS, SPECTRA, Landscape, number
from cloudfree.simulation.sensors import (
    LOOKS,
    PATH,
    clear_reflectance,
    coarsened,
    mean_backscatter,
    observed,
    speckle,
)


def _correlation(field: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(field[:, lag:].ravel(), field[:, :-lag].ravel())[0, 1])


def test_speckle_has_mean_1_and_the_looks_of_a_ground_range_product() -> None:
    field = speckle((500, 500), np.random.default_rng(0))
    assert field.mean() == pytest.approx(1.0, abs=0.02)
    assert field.mean() ** 2 / field.var() == pytest.approx(LOOKS, rel=0.05)


def test_speckle_is_shared_by_neighbours_only() -> None:
    """20 m of resolution on 10 m pixels: measured on real scenes, 0.72 to 0.76 at one pixel."""
    field = speckle((500, 500), np.random.default_rng(1))
    assert 0.66 < _correlation(field, 1) < 0.78
    assert 0.2 < _correlation(field, 2) < 0.38
    assert abs(_correlation(field, 6)) < 0.03


def test_the_border_of_speckle_is_like_its_middle() -> None:
    rims = [speckle((64, 64), np.random.default_rng(seed))[0] for seed in range(60)]
    assert np.var(rims) == pytest.approx(1 / LOOKS, rel=0.15)


@pytest.mark.parametrize("name", ["water", "brown soil", "broadleaf", "concrete"])
def test_level_ground_answers_as_its_material(name: str) -> None:
    land = Landscape.bare(np.zeros((80, 80), dtype=np.float32))
    land.paint(np.ones(land.shape, dtype=bool), name)
    power = mean_backscatter(land)
    wanted = (MATERIALS[name].vv_db, MATERIALS[name].vh_db)
    assert decibel(power).mean(axis=(1, 2)) == pytest.approx(wanted, abs=1.6)
    means = observed(power, np.random.default_rng(0))
    assert 10 * np.log10((10 ** (means / 10)).mean(axis=(1, 2))) == pytest.approx(wanted, abs=1.7)


def test_slopes_that_face_the_radar_are_louder() -> None:
    _, cols = np.indices((60, 60), dtype=np.float32)
    ridge = Landscape.bare(1.5 * (30.0 - np.abs(cols - 30.0)))
    vv = mean_backscatter(ridge)[0]
    assert vv[:, 5:25].mean() > 1.3 * vv[:, 35:55].mean()


SIDES = st.integers(7, 60)


@given(rows=SIDES, cols=SIDES)
def test_60_m_pixels_are_blocks_of_six_at_any_size(rows: int, cols: int) -> None:
    plane = np.random.default_rng(rows * cols).random((rows, cols), dtype=np.float32)
    coarse = coarsened(plane, "B10")
    assert coarse.shape == plane.shape
    assert coarse[:6, :6] == pytest.approx(plane[:6, :6].mean(), abs=1e-5)


@given(rows=SIDES, cols=SIDES)
def test_20_m_pixels_keep_a_slope_and_10_m_pixels_keep_everything(rows: int, cols: int) -> None:
    slope = np.add.outer(np.arange(rows), np.arange(cols)).astype(np.float32)
    coarse = coarsened(slope, "B11")
    assert coarse[2:-3, 2:-3] == pytest.approx(slope[2:-3, 2:-3], abs=1e-3)
    assert coarsened(slope, "B04") is slope


def test_20_m_pixels_lose_detail() -> None:
    plane = np.random.default_rng(0).random((60, 60), dtype=np.float32)
    assert coarsened(plane, "B8A").std() < 0.6 * plane.std()


def _seen(land: Landscape, azimuth: float = 155.0) -> np.ndarray:
    return clear_reflectance(land, (azimuth, 38.0), np.random.default_rng(0))


def test_level_ground_has_the_spectrum_of_its_material() -> None:
    land = Landscape.bare(np.zeros((40, 40), dtype=np.float32))
    land.paint(np.ones(land.shape, dtype=bool), "broadleaf")
    assert _seen(land).mean(axis=(1, 2)) == pytest.approx(SPECTRA[number("broadleaf")], abs=5e-4)


def test_dark_ground_never_falls_to_nothing() -> None:
    """The light of the air stays, so no band of a valid pixel is 0, which means nodata."""
    land = Landscape.bare(np.zeros((40, 40), dtype=np.float32))
    land.paint(np.ones(land.shape, dtype=bool), "water", 0.0)
    seen = _seen(land)
    assert (seen > 0).all()
    assert seen.mean(axis=(1, 2)) == pytest.approx(PATH, abs=1e-3)


def test_slopes_towards_the_sun_are_brighter() -> None:
    rows, _ = np.indices((60, 60), dtype=np.float32)
    roof = Landscape.bare(2.0 * (30.0 - np.abs(rows - 30.0)))
    red = _seen(roof, azimuth=180.0)[3]
    assert red[35:55].mean() > 1.15 * red[5:25].mean()
