"""Hidden ground comes back from other dates, from the scene itself, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.gap_filler import Filled, GapFiller
from cloudfree.gapfilling.observation import Where
from cloudfree.gapfilling.stack import ArrayStack
from cloudfree.gapfilling.stacking import NetworkTrial, fit_stacking
from tests.factories.fields import BANDS, SIDE, below, ground, square, stack_of

CLOUD = square(20, 20, 22)
GROUND = ground()
WHOLE = Window(0, 0, SIDE, SIDE)
TODAY = below(CLOUD, GROUND)
EARLIER = 0.8 * GROUND + 0.02


def _filled(stack: ArrayStack, hidden: Where = CLOUD) -> Filled:
    return GapFiller.fit(stack, silent).fill(WHOLE, hidden)


def _rmse(filled: Filled, hidden: Where = CLOUD) -> float:
    return float(np.sqrt(np.mean((filled.estimate.mean - GROUND[:, hidden].T) ** 2)))


def test_a_reference_that_shows_the_ground_by_a_linear_map_gives_it_back() -> None:
    filled = _filled(stack_of(TODAY, (EARLIER,)))
    assert _rmse(filled) < 0.005
    assert set(filled.by) == {FillClass.REFERENCE_1}


def test_windows_are_filled_as_the_whole() -> None:
    filler = GapFiller.fit(stack_of(TODAY, (EARLIER,)), silent)
    whole = np.full((len(BANDS), SIDE, SIDE), np.nan, np.float32)
    whole[:, CLOUD] = filler.fill(WHOLE, CLOUD).estimate.mean.T
    window = Window(25, 13, 20, 31)
    hidden = CLOUD[window.slices]
    part = filler.fill(window, hidden).estimate.mean
    assert np.allclose(part, whole[:, *window.slices][:, hidden].T, atol=1e-5)


def test_where_the_first_reference_is_cloudy_the_second_leads() -> None:
    cloudy = square(20, 20, 11)
    filled = _filled(stack_of(TODAY, (below(cloudy, EARLIER), 1.2 * GROUND)))
    assert set(filled.by[cloudy[CLOUD]]) == {FillClass.REFERENCE_2}
    assert _rmse(filled) < 0.01


def test_where_no_reference_sees_it_the_scene_fills() -> None:
    unseen = square(28, 28, 5)
    stack = stack_of(TODAY, (below(unseen, EARLIER),))
    filled = _filled(stack)
    inside = unseen[CLOUD]
    assert set(filled.by[inside]) == {FillClass.FILLED_BY_SCENE}
    assert set(filled.by[~inside]) == {FillClass.REFERENCE_1}
    assert GapFiller.fit(stack, silent).leaves_gaps(WHOLE)
    assert not GapFiller.fit(stack_of(TODAY, (EARLIER,)), silent).leaves_gaps(WHOLE)


def test_without_clear_ground_a_reference_is_taken_as_it_was_seen() -> None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    filled = _filled(stack_of(below(everywhere, GROUND), (EARLIER,)), everywhere)
    assert np.allclose(filled.estimate.mean, EARLIER.reshape(len(BANDS), -1).T, atol=1e-6)
    assert set(filled.by) == {FillClass.REFERENCE_1}


def test_without_reference_the_scene_fills_itself() -> None:
    filled = _filled(stack_of(TODAY))
    assert set(filled.by) == {FillClass.FILLED_BY_SCENE}
    assert _rmse(filled) < 2 * GROUND.std()


def test_of_what_nothing_is_known_nothing_is_filled() -> None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    filled = _filled(stack_of(below(everywhere, GROUND)), everywhere)
    assert set(filled.by) == {FillClass.UNFILLED}
    assert np.isnan(filled.estimate.mean).all()


def test_a_reference_with_fewer_bands_still_helps() -> None:
    filled = _filled(stack_of(TODAY, (EARLIER[:2],), (BANDS[:2],)))
    error = np.abs(filled.estimate.mean - GROUND[:, CLOUD].T).mean(axis=0)
    assert set(filled.by) <= {FillClass.REFERENCE_1, FillClass.FILLED_BY_SCENE}
    assert error[:2].max() < 0.03


def test_deviations_tell_the_errors() -> None:
    noise = np.random.default_rng(1).normal(0, 0.03, GROUND.shape).astype(np.float32)
    filled = _filled(stack_of(TODAY, (GROUND + noise,)))
    ratio = np.abs(filled.estimate.mean - GROUND[:, CLOUD].T) / filled.estimate.deviation
    assert (ratio < 1).mean() == pytest.approx(0.683, abs=0.12)
    assert (ratio < 2).mean() == pytest.approx(0.954, abs=0.06)


def _deviation_under_change(change_db: float) -> float:
    """Mean deviation of ground in a gap whose backscatter changed so much since a reference."""
    rng = np.random.default_rng(3)
    then = rng.normal(-12, 0.3, (2, SIDE, SIDE)).astype(np.float32)
    today = then + rng.normal(0, 0.3, then.shape).astype(np.float32)
    today[:, 20:40, 20:40] += np.float32(change_db)
    truth = ground()
    other = truth * 1.1 + rng.normal(0, 0.01, truth.shape).astype(np.float32)
    cloudy = below(square(16, 16, 32), truth)
    filler = GapFiller.fit(stack_of(cloudy, (other,), radar=today, radars=(then,)), silent)
    found = filler.fill(Window(0, 0, SIDE, SIDE), square(24, 24, 8)).estimate
    return float(found.deviation.mean())


def test_a_reference_is_less_sure_where_radar_has_changed_since() -> None:
    assert _deviation_under_change(8.0) > 2 * _deviation_under_change(0.0)


def _speckled(image: Float32) -> Float32:
    """Radar that shows the ground, with speckle."""
    noise = np.random.default_rng(5).normal(0, 0.5, (2, SIDE, SIDE))
    return (-15 + 30 * image[:2] + noise).astype(np.float32)


def test_hidden_ground_is_told_without_looking_at_it() -> None:
    filler = GapFiller.fit(stack_of(TODAY, (EARLIER,), radar=_speckled(GROUND)), silent)
    window, gap = Window(2, 3, 12, 14), square(0, 0, 9)[:12, :14]
    changed = TODAY.copy()
    changed[:, 2:11, 3:12] += 0.3
    other = GapFiller.fit(stack_of(changed, (EARLIER,), radar=_speckled(GROUND)), silent)
    (told,), (again,) = (list(one.hide([(window, gap)])) for one in (filler, other))
    assert np.array_equal(told.where, gap)
    assert np.array_equal(told.truth, GROUND[:, 2:11, 3:12].reshape(len(BANDS), -1).T)
    assert np.allclose(told.shown.mean, again.shown.mean, atol=1e-5)


def _stacked(filler: GapFiller, network_error: float) -> GapFiller:
    """With a network of such errors, tried on clear ground."""
    rng = np.random.default_rng(7)
    gap = square(0, 0, 16)[:16, :SIDE]
    (told,) = filler.hide([(Window(0, 0, 16, SIDE), gap)])
    predicted = told.truth + rng.normal(0, network_error, told.truth.shape).astype(np.float32)
    return replace(filler, stacking=fit_stacking([NetworkTrial(told.shown, predicted, told.truth)]))


def test_a_good_network_fills_what_only_the_scene_knows_of() -> None:
    filler = _stacked(GapFiller.fit(stack_of(TODAY, radar=_speckled(GROUND)), silent), 0.001)
    filled = filler.fill(WHOLE, CLOUD, GROUND[:, CLOUD].T)
    assert _rmse(filled) < 0.3 * _rmse(filler.fill(WHOLE, CLOUD))
    assert set(filled.by) == {FillClass.FILLED}


def test_where_a_reference_is_better_the_network_hardly_counts() -> None:
    filler = _stacked(GapFiller.fit(stack_of(TODAY, (EARLIER,)), silent), 0.2)
    wrong = np.full_like(GROUND[:, CLOUD].T, 0.9)
    assert _rmse(filler.fill(WHOLE, CLOUD, wrong)) < 0.01
    assert set(filler.fill(WHOLE, CLOUD, wrong).by) == {FillClass.REFERENCE_1}


def test_a_lake_that_clouds_hide_whole_is_less_certain_than_ground_around() -> None:
    radar = _speckled(GROUND)
    lake = square(24, 24, 14)
    radar[:, lake] = -26
    filler = GapFiller.fit(stack_of(TODAY, radar=radar), silent)
    deviation = filler.fill(WHOLE, CLOUD).estimate.deviation.mean(axis=1)
    inside = square(28, 28, 6)[CLOUD]
    assert deviation[inside].mean() > 1.5 * deviation[~lake[CLOUD]].mean()


def test_of_no_pixel_nothing_is_asked() -> None:
    filled = GapFiller.fit(stack_of(TODAY), silent).fill(WHOLE, np.zeros_like(CLOUD))
    assert filled.estimate.mean.shape == (0, len(BANDS))
    assert filled.by.shape == (0,)
