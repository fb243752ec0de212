"""A network and a scene together are nearer than either."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.combination import PixelEstimate
from cloudfree.gapfilling.harmonisation import Harmonised
from cloudfree.gapfilling.stacking import (
    UNLIKE_DB,
    NetworkTrial,
    StackedEstimate,
    Stacking,
    fit_stacking,
)

PIXELS, BANDS = 4000, 3


def _shown(mean: Float32, changed_db: float = 0.0) -> Harmonised:
    one = np.ones(len(mean), np.float32)
    return Harmonised(mean, np.full_like(mean, 0.03), one, np.float32(changed_db) * one)


def _trial(scene: float, network: float, bias: float = 0.0, seed: int = 0) -> NetworkTrial:
    """Errors of the scene and of the network, of such deviations, that know nothing of another."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.05, 0.4, (PIXELS, BANDS)).astype(np.float32)
    shown = truth + rng.normal(0, scene, truth.shape).astype(np.float32)
    predicted = truth + bias + rng.normal(0, network, truth.shape).astype(np.float32)
    return NetworkTrial(_shown(shown), predicted, truth)


def _fitted(*trials: NetworkTrial) -> Stacking:
    stacking = fit_stacking(trials)
    assert stacking is not None
    return stacking


def _rmse(mean: Float32, truth: Float32) -> float:
    return float(np.sqrt(np.mean((mean - truth) ** 2)))


@pytest.mark.parametrize(("scene", "network"), [(0.03, 0.03), (0.02, 0.06), (0.06, 0.02)])
def test_together_they_err_less_than_the_better_one(scene: float, network: float) -> None:
    stacking, fresh = _fitted(_trial(scene, network)), _trial(scene, network, seed=1)
    together = _rmse(stacking.stacked(fresh.scene, fresh.predicted).mean, fresh.truth)
    expected = (scene**-2 + network**-2) ** -0.5
    assert together == pytest.approx(expected, rel=0.05)
    assert together < min(scene, network)
    errors = stacking.errors
    assert (errors.scene, errors.network) == pytest.approx((scene, network), rel=0.05)
    assert errors.together == pytest.approx(expected, rel=0.05)


def test_the_weight_is_that_of_inverse_variances() -> None:
    assert _fitted(_trial(0.02, 0.04)).weight == pytest.approx(0.2, abs=0.02)


def test_an_even_error_of_the_network_is_taken_off() -> None:
    stacking, fresh = _fitted(_trial(0.03, 0.01, bias=0.2)), _trial(0.03, 0.01, 0.2, seed=1)
    assert _rmse(stacking.stacked(fresh.scene, fresh.predicted).mean, fresh.truth) < 0.011


def test_a_network_that_knows_nothing_has_no_weight() -> None:
    stacking = _fitted(_trial(0.01, 1.0))
    assert stacking.weight < 0.02
    assert stacking.trust < 0.01


def test_on_ground_that_the_scene_shows_nowhere_the_network_counts_by_its_error() -> None:
    stacking, fresh = _fitted(_trial(0.05, 0.01)), _trial(0.05, 0.01, seed=1)
    unlike = replace(fresh.scene, changed_db=np.full(PIXELS, 9 * UNLIKE_DB, np.float32))
    mean = stacking.stacked(unlike, fresh.predicted).mean
    assert np.allclose(mean, fresh.predicted, atol=2e-3)
    assert stacking.share(unlike) == pytest.approx(1, abs=0.01)


def test_errors_are_as_large_as_expected() -> None:
    stacking, fresh = _fitted(_trial(0.03, 0.03)), _trial(0.03, 0.03, seed=1)
    both = stacking.stacked(fresh.scene, fresh.predicted)
    ratio = np.abs(both.mean - fresh.truth) / stacking.error.deviation(both)
    assert (ratio < 1).mean() == pytest.approx(0.683, abs=0.02)
    assert (ratio < 2).mean() == pytest.approx(0.954, abs=0.02)


def test_without_enough_ground_there_is_none() -> None:
    assert fit_stacking([]) is None
    whole = _trial(0.03, 0.03)
    few = NetworkTrial(_shown(whole.scene.mean[:50]), whole.predicted[:50], whole.truth[:50])
    assert fit_stacking([few]) is None
    blind = replace(whole, predicted=np.full_like(whole.predicted, np.nan))
    assert fit_stacking([blind]) is None


def test_where_the_network_says_nothing_another_stands() -> None:
    trial = _trial(0.03, 0.01)
    predicted = trial.predicted.copy()
    predicted[:10] = np.nan
    stacked = StackedEstimate.of(_fitted(trial), trial.scene, predicted)
    other = PixelEstimate(np.full_like(predicted, 0.5), np.full_like(predicted, 0.1))
    found = stacked.instead_of(other, 2.0)
    assert (found.mean[:10] == 0.5).all()
    assert (found.deviation[:10] == np.float32(0.1)).all()
    assert np.allclose(2 * found.deviation[10:], stacked.estimate.deviation[10:])
    assert not stacked.by_network[:10].any()
    assert stacked.by_network[10:].all()
