from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.simulation.land_cover import Landscape
from cloudfree.simulation.land_cover_spectra import SPECTRA, number
from cloudfree.simulation.reflectance import PATH, clear_reflectance, coarsened

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
