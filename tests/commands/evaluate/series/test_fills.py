from __future__ import annotations

import numpy as np
import pytest

from cloudfree.commands.evaluate.series.cases import Case, Date
from cloudfree.commands.evaluate.series.fills import BASELINES, OURS, fill_case
from tests.factories.fields import BANDS, SIDE, ground, square

CLEAR = np.zeros((SIDE, SIDE), np.bool_)
CLOUD = square(20, 20, 20)
GROUND = ground()
TRUTH = Date("truth", 0, GROUND, CLEAR)
COVER = Date("cover", 9, ground(9), CLOUD)
GAINS = np.array([0.5, 1.0, 2.0], np.float32)[:, None, None]


def _case(*images: np.ndarray) -> Case:
    dated = enumerate(images, 1)
    return Case(TRUTH, COVER, tuple(Date(f"{n}", -n, one, CLEAR) for n, one in dated))


def _error(name: str, case: Case) -> float:
    return float(np.abs(BASELINES[name](case) - GROUND)[:, CLOUD].max())


def test_the_mean_colour_is_that_of_what_is_seen() -> None:
    found = BASELINES["mean colour"](_case(ground(1)))
    assert found[:, 30, 30] == pytest.approx(GROUND[:, ~CLOUD].mean(axis=1), rel=1e-5)


def test_the_last_clear_scene_is_as_it_is_and_clouded_ones_are_none() -> None:
    case = _case(ground(1), ground(2))
    cloudy = Date("cloudy", -0.5, ground(3), CLOUD)
    shown = Case(case.truth, case.cover, (cloudy, *case.others))
    assert np.array_equal(BASELINES["last clear"](shown), ground(1))


def test_gains_and_offsets_are_found_by_what_allows_for_them() -> None:
    gains, offset = _case(GROUND * GAINS), _case(GROUND * GAINS + 0.1)
    assert _error("last clear", gains) > 0.1
    assert _error("gain", gains) < 1e-5
    assert _error("gain", offset) > 0.01
    assert _error("regression", offset) < 0.03


def test_several_scenes_tell_more_than_the_nearest() -> None:
    rng = np.random.default_rng(0)
    noisy = [GROUND + rng.normal(0, 0.05, GROUND.shape).astype(np.float32) for _ in range(3)]

    def rmse(name: str) -> float:
        wrong = (BASELINES[name](_case(*noisy)) - GROUND)[:, CLOUD]
        return float(np.sqrt(np.mean(wrong**2)))

    assert rmse("of several") < 0.8 * rmse("regression")


def test_clear_ground_stays_and_hidden_ground_is_filled_with_its_deviation() -> None:
    found = fill_case(_case(GROUND * GAINS), BANDS)
    mean, deviation = found.images[OURS], found.deviation
    assert np.array_equal(mean[:, ~CLOUD], GROUND[:, ~CLOUD])
    assert not deviation[:, ~CLOUD].any()
    assert np.sqrt(np.mean((mean - GROUND)[:, CLOUD] ** 2)) < 0.005
    assert (deviation[:, CLOUD] > 0).all()
