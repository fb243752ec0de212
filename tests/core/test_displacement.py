from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.displacement import (
    Displacement,
    PolynomialDisplacement,
    Shift,
    coarser,
    describe_displacement,
    kind,
    mean_shift,
    monomials,
    reach_px,
)

AFFINE = PolynomialDisplacement(1, ((1.0, -2.0), (0.3, 0.1), (-0.2, 0.5)), 101, 201)
BENT = PolynomialDisplacement(
    2, (*AFFINE.coefficients, (0.4, 0.0), (0.0, 0.3), (0.1, 0.0)), 101, 201
)

places = st.floats(-50, 400)


def test_an_affine_moves_middle_and_corners_as_its_coefficients_say() -> None:
    rows, cols = AFFINE.locate(np.array([50.0, 0.0, 100.0]), np.array([100.0, 0.0, 200.0]))
    assert rows - [50, 0, 100] == pytest.approx([1.0, 0.9, 1.1])
    assert cols - [100, 0, 200] == pytest.approx([-2.0, -2.6, -1.4])
    # The longest lies at the corner below and left: 1.5 rows and 2.4 columns.
    assert AFFINE.length == pytest.approx(math.hypot(1.5, 2.4))


@given(places, places)
def test_the_transform_of_pixel_corners_says_the_same(row: float, col: float) -> None:
    rows, cols = AFFINE.locate(np.array(row), np.array(col))
    x, y = AFFINE.transform @ (col + 0.5, row + 0.5)
    assert (y - 0.5, x - 0.5) == pytest.approx((float(rows), float(cols)))


@given(places, places)
def test_a_field_without_its_higher_terms_is_the_affine_within_the_scene(
    row: float, col: float
) -> None:
    row, col = np.clip(row, 0, 100), np.clip(col, 0, 200)
    straight = PolynomialDisplacement(2, (*AFFINE.coefficients, *((0.0, 0.0),) * 3), 101, 201)
    assert np.allclose(straight.locate(row, col), AFFINE.locate(row, col))


def test_a_field_goes_on_outside_its_matches_as_it_is_at_their_edge() -> None:
    inner = PolynomialDisplacement(2, BENT.coefficients, 101, 201, (-0.5, -0.5, 0.5, 0.5))
    rows, cols = inner.locate(np.array([0.0, 25.0]), np.array([100.0, 100.0]))
    assert rows[0] - 0.0 == pytest.approx(rows[1] - 25.0)
    assert cols[0] == pytest.approx(cols[1])
    assert inner.length < BENT.length


@pytest.mark.parametrize("displacement", [Shift(1.5, -2.0), AFFINE, BENT], ids=kind)
@given(places, places)
def test_in_larger_pixels_the_same_ground_is_moved_the_same_way(
    displacement: Displacement, row: float, col: float
) -> None:
    large = coarser(displacement, 4.0, 2.5)
    there = large.locate(np.array((row + 0.5) / 4 - 0.5), np.array((col + 0.5) / 2.5 - 0.5))
    rows, cols = displacement.locate(np.array(row), np.array(col))
    assert float(there[0]) == pytest.approx((rows + 0.5) / 4 - 0.5)
    assert float(there[1]) == pytest.approx((cols + 0.5) / 2.5 - 0.5)
    assert displacement.length / 4 <= large.length <= displacement.length / 2.5
    assert coarser(displacement, 1.0, 1.0) == displacement


def test_powers_are_ordered_by_degree() -> None:
    terms = monomials(np.array(2.0), np.array(3.0), 2)
    assert [float(term) for term in terms] == [1, 2, 3, 4, 6, 9]


def test_every_kind_has_its_name_its_words_and_its_reach() -> None:
    shift = Shift(1.25, -3.0)
    assert [kind(one) for one in (shift, AFFINE, BENT)] == ["translation", "affine", "field"]
    assert describe_displacement(shift) == "+1.25 rows, -3.00 columns"
    assert (
        describe_displacement(AFFINE)
        == "+1.00 rows, -2.00 columns in the mean, 2.83 px at most (affine)"
    )
    assert (mean_shift(shift), reach_px(shift)) == (shift, 3)
    assert (mean_shift(AFFINE).row, reach_px(AFFINE)) == (pytest.approx(1.0), 3)
