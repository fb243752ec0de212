"""Hidden and shaded pixels scored against the clear image below the clouds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloudfree.metrics.own_date import (
    HIDDEN,
    LEAST_PX,
    MEAN_COLOUR,
    SHADOW,
    Closeness,
    closeness,
    mean_closeness,
    score_cover,
)

SIDE = 40


def image(value: float) -> np.ndarray:
    return np.full((3, SIDE, SIDE), value, np.float32)


def upper_half() -> np.ndarray:
    where = np.zeros((SIDE, SIDE), np.bool_)
    where[: SIDE // 2] = True
    return where


def pixels(count: int) -> np.ndarray:
    """True in the last `count` pixels."""
    return (np.arange(SIDE * SIDE) >= SIDE * SIDE - count).reshape(SIDE, SIDE)


def test_an_error_of_a_tenth_is_20_db():
    assert closeness(image(0.3), image(0.2)) == pytest.approx((20.0, 0.1))


def test_equal_images_are_infinitely_close():
    assert closeness(image(0.3), image(0.3)) == (math.inf, 0.0)


def test_each_kind_of_pixels_is_scored_by_itself():
    hidden, shadow = upper_half(), pixels(LEAST_PX).astype(np.uint8)
    filled = image(0.2)
    filled[:, hidden] = 0.3
    filled[:, shadow > 0] = 0.21
    cloudy = image(0.2)
    cloudy[:, hidden] = 0.9
    found = score_cover(filled, cloudy, image(0.2), hidden, shadow)
    assert found[HIDDEN] == pytest.approx((20.0, 0.1))
    assert found[SHADOW] == pytest.approx((40.0, 0.01))


def test_the_mean_colour_is_that_of_what_is_not_hidden():
    clear, cloudy = image(0.5), image(0.9)
    cloudy[:, ~upper_half()] = 0.4
    found = score_cover(clear, cloudy, clear, upper_half(), np.zeros((SIDE, SIDE), np.uint8))
    assert found[MEAN_COLOUR] == pytest.approx((20.0, 0.1), rel=1e-4)


def test_hidden_pixels_are_no_shadow():
    hidden = upper_half()
    found = score_cover(image(0.3), image(0.3), image(0.2), hidden, hidden.astype(np.uint8))
    assert SHADOW not in found


@pytest.mark.parametrize("count", [LEAST_PX - 1, LEAST_PX])
def test_a_few_pixels_are_not_counted(count: int):
    shadow, nothing = pixels(count).astype(np.uint8), pixels(0)
    found = score_cover(image(0.3), image(0.3), image(0.2), nothing, shadow)
    assert list(found) == ([SHADOW] if count == LEAST_PX else [])


def test_means_are_over_the_covers_that_have_the_kind():
    covers = [{HIDDEN: Closeness(20.0, 0.1), SHADOW: Closeness(30.0, 0.2)}, {}]
    covers.append({HIDDEN: Closeness(30.0, 0.3)})
    found = mean_closeness(covers)
    assert found[HIDDEN] == (2, pytest.approx((25.0, 0.2)))
    assert found[SHADOW] == (1, pytest.approx((30.0, 0.2)))
    assert MEAN_COLOUR not in found
