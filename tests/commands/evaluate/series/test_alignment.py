from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cloudfree.commands.evaluate.series.alignment import aligned
from cloudfree.commands.evaluate.series.cases import Case, Date
from cloudfree.commands.remove.references.at_translation import AtTranslation
from cloudfree.commands.remove.references.clear_sampling import sample_clear
from cloudfree.simulation.noise import fractal_noise

SIDE = 192
BANDS = ("B03", "B04", "B08")
INSIDE = np.s_[:, 8:-8, 8:-8]


def _ground() -> np.ndarray:
    rng = np.random.default_rng(0)
    fields = [fractal_noise((SIDE, SIDE), rng, 1.5, 40.0) for _ in BANDS]
    return (0.15 + 0.03 * np.stack(fields)).astype(np.float32)


def _date(image: np.ndarray, day: float) -> Date:
    return Date(f"day {day}", day, image, np.zeros((SIDE, SIDE), np.bool_))


def _case(row: float, col: float) -> Case:
    """A date under a square cloud, and one that shows its ground so far away."""
    ground = _ground()
    moved = sample_clear(ground, AtTranslation(-row, -col, SIDE, SIDE))
    cloud = _date(ground, 9.0)
    cloud = replace(cloud, hidden=cloud.hidden.copy())
    cloud.hidden[60:120, 60:120] = True
    return Case(_date(ground, 0.0), cloud, (_date(moved, -5.0),))


def _error(case: Case) -> float:
    (other,) = case.others
    return float(np.nanmean(np.abs(other.clear - case.truth.image)[INSIDE]))


@pytest.mark.parametrize(("row", "col"), [(0.6, -0.4), (-2.3, 3.1)])
def test_a_date_that_lies_elsewhere_is_moved_onto_what_is_clear(row: float, col: float) -> None:
    case = _case(row, col)
    assert _error(aligned(case, BANDS)) < 0.5 * _error(case)


def test_a_date_in_its_place_is_as_it_was() -> None:
    case = _case(0.0, 0.0)
    assert aligned(case, BANDS).others[0] is case.others[0]
