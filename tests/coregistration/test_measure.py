"""When a measured shift is applied, and what is said where it is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.coregistration.displacement_model import MAX_DOUBT_PX, DisplacementFit
from cloudfree.coregistration.global_shift import NOTHING_MEASURED, ShiftEstimate
from cloudfree.coregistration.measure import NOT_USED, assess, rejection_reason
from cloudfree.coregistration.tie_points import TiePoints

SHIFT = Shift(1.5, -2.0)
RELIABLE = ShiftEstimate(SHIFT, 0.9, 0.2)


def _tie_points(weights: list[float]) -> TiePoints:
    count = len(weights)
    offsets = np.tile([3.0, 4.0], (count, 1))
    return TiePoints(
        np.zeros(count), np.zeros(count), offsets, offsets / 5, np.array(weights),
        np.ones(count, np.bool_),
    )  # fmt: skip


def _fit(doubt_px: float = 0.0) -> DisplacementFit:
    return DisplacementFit(SHIFT, _tie_points([1.0, 1.0, 0.0]), doubt_px=doubt_px)


def test_a_reliable_shift_is_applied() -> None:
    measured = assess(RELIABLE, None, 8.0, 0.7)
    assert (measured.applied, measured.applied_shift, measured.overlap) == (True, SHIFT, 0.7)
    assert measured.shift_px == {"row": 1.5, "col": -2.0}


@pytest.mark.parametrize(
    ("found", "fit", "text"),
    [
        (NOTHING_MEASURED, None, "no clear ground"),
        (ShiftEstimate(SHIFT, 0.3, 0.2), None, "reliability 0.30, wanted 0.50"),
        (ShiftEstimate(SHIFT, 0.9, 4.0), None, "halves of the scene differ by 4.0 px"),
        (RELIABLE, _fit(MAX_DOUBT_PX + 1), "seems to change over the scene"),
    ],
)
def test_a_shift_that_is_not_reliable_is_zero(
    found: ShiftEstimate, fit: DisplacementFit | None, text: str
) -> None:
    measured = assess(found, fit, 8.0, 1.0)
    assert text in measured.reason
    assert (measured.reliable, measured.applied, measured.shift) == (False, False, NO_SHIFT)


def test_a_long_shift_is_known_but_not_applied() -> None:
    measured = assess(RELIABLE, None, 2.0, 1.0)
    assert measured.reason == "left alone: 2.5 px is more than --max-shift 2"
    assert (measured.reliable, measured.shift, measured.applied_shift) == (True, SHIFT, NO_SHIFT)
    assert rejection_reason(RELIABLE, None, 2.5) is None


def test_residuals_are_of_the_tie_points_that_are_used() -> None:
    measured = assess(RELIABLE, _fit(), 8.0, 1.0)
    assert (measured.tie_points_found, measured.tie_points_used) == (3, 2)
    assert measured.residual_px["before"] == {"median": 5.0, "p95": 5.0}
    assert measured.residual_px["after"] == pytest.approx({"median": 1.0, "p95": 1.0})


def test_without_a_used_tie_point_there_are_no_residuals() -> None:
    fit = DisplacementFit(SHIFT, _tie_points([0.0]))
    assert assess(RELIABLE, fit, 8.0, 1.0).residual_px == {}


def test_the_model_is_of_the_shift_that_was_applied() -> None:
    assert NOT_USED.applied_model == "none"
    assert assess(RELIABLE, None, math.inf, 1.0).applied_model == "translation"
