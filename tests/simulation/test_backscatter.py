from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.radiometry import decibel
from cloudfree.simulation.backscatter import LOOKS, mean_backscatter, observed, speckle
from cloudfree.simulation.land_cover import Landscape
from cloudfree.simulation.land_cover_spectra import MATERIALS


def _correlation(field: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(field[:, lag:].ravel(), field[:, :-lag].ravel())[0, 1])


def test_speckle_has_mean_1_and_the_looks_of_a_ground_range_product() -> None:
    field = speckle((500, 500), np.random.default_rng(0))
    assert field.mean() == pytest.approx(1.0, abs=0.02)
    assert field.mean() ** 2 / field.var() == pytest.approx(LOOKS, rel=0.05)


def test_speckle_is_shared_by_neighbours_and_by_nobody_else() -> None:
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
