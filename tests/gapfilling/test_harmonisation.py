from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.gapfilling.harmonisation import (
    MIN_PIXELS,
    UNHARMONISED_DEVIATION,
    Harmonisation,
    Target,
    harmonise,
    harmonise_by_gain,
)
from cloudfree.gapfilling.lattice import Position
from cloudfree.gapfilling.observation import Observation, Where, observe
from tests.factories.fields import SIDE, ground, square, stack_of

GROUND, EARLIER = ground(), 0.8 * ground() + 0.02
HIDDEN = square(20, 20, 20)
FEW = square(2, 2, 5)


def _observed(*others: Float32) -> Observation:
    return observe(stack_of(GROUND, others), Window(0, 0, SIDE, SIDE), lambda planes: planes)


def _at(fit: Harmonisation | None, observation: Observation, where: Where = HIDDEN) -> Float32:
    assert fit is not None
    position = Position(*(part.astype(np.float32) for part in np.nonzero(where)))
    places = np.arange(int(where.sum()))
    return fit.at(observation.at(where), places, position).mean


def test_a_linear_reference_gives_todays_ground() -> None:
    seen = _observed(EARLIER)
    found = _at(harmonise(seen, (0,), Target.of_clear(GROUND, ~HIDDEN)), seen)
    assert np.sqrt(np.mean((found - GROUND[:, HIDDEN].T) ** 2)) < 0.005


def test_too_little_clear_ground_is_refused() -> None:
    assert FEW.sum() < MIN_PIXELS
    assert harmonise(_observed(EARLIER), (0,), Target.of_clear(GROUND, FEW)) is None


def test_gains_are_found_on_little_clear_ground() -> None:
    seen = _observed(np.float32(0.5) * GROUND)
    some = square(2, 2, 6)
    found = _at(harmonise_by_gain(seen, 0, Target.of_clear(GROUND, some), (0, 1, 2)), seen)
    assert found == pytest.approx(GROUND[:, HIDDEN].T, abs=1e-4)


def test_without_clear_ground_it_is_as_it_was_seen_and_no_surer_than_that() -> None:
    seen = _observed(EARLIER)
    fit = harmonise_by_gain(seen, 0, Target.of_clear(GROUND, FEW), (2, 1, 0))
    assert _at(fit, seen) == pytest.approx(EARLIER[::-1][:, HIDDEN].T, abs=1e-6)
    assert fit is not None
    assert fit.level == pytest.approx(UNHARMONISED_DEVIATION)


def test_a_gain_needs_each_of_todays_bands() -> None:
    target = Target.of_clear(GROUND, ~HIDDEN)
    assert harmonise_by_gain(_observed(EARLIER), 0, target, (0, -1, 1)) is None
