"""What was corrected reads back from the tags of a result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.displacement import NO_SHIFT, Displacement, PolynomialDisplacement, Shift
from cloudfree.raster.displacement_tags import displacement_of_tags, tags_of_displacement

HEIGHT, WIDTH = 101, 201
BENT = {"CLOUDFREE_SHIFT_PX": "1.5,-2", "CLOUDFREE_SHIFT_COEFFICIENTS": "1,-2 0.3,0.1 -0.2,0.5"}

offsets = st.floats(-20, 20).map(lambda number: round(number, 3))
pairs = st.tuples(offsets, offsets)


@st.composite
def displacements(draw: st.DrawFn) -> Displacement:
    degree = draw(st.integers(0, 3))
    if degree == 0:
        return Shift(*draw(pairs))
    count = (degree + 1) * (degree + 2) // 2
    coefficients = tuple(draw(st.lists(pairs, min_size=count, max_size=count)))
    bounds = draw(st.sampled_from([(-1.0, -1.0, 1.0, 1.0), (-0.5, -0.25, 0.75, 1.0)]))
    return PolynomialDisplacement(degree, coefficients, HEIGHT, WIDTH, bounds)


@given(displacements())
def test_every_displacement_reads_back_as_it_was(displacement: Displacement) -> None:
    found = displacement_of_tags(tags_of_displacement(displacement), HEIGHT, WIDTH)
    assert found == displacement


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({}, NO_SHIFT),
        ({"CLOUDFREE_SHIFT_PX": "none"}, NO_SHIFT),
        ({"CLOUDFREE_SHIFT_PX": "1"}, NO_SHIFT),
        ({**BENT, "CLOUDFREE_SHIFT_COEFFICIENTS": "1,-2 0.3,0.1"}, Shift(1.5, -2)),
        ({**BENT, "CLOUDFREE_SHIFT_COEFFICIENTS": "1,-2 0.3 x"}, Shift(1.5, -2)),
    ],
    ids=["nothing", "none", "one number", "two of three", "no numbers"],
)
def test_damaged_tags_tell_of_the_mean_or_of_nothing(
    tags: dict[str, str], found: Displacement
) -> None:
    assert displacement_of_tags(tags, HEIGHT, WIDTH) == found


def test_results_without_bounds_were_measured_everywhere() -> None:
    found = displacement_of_tags(BENT, HEIGHT, WIDTH)
    assert found == PolynomialDisplacement(1, ((1, -2), (0.3, 0.1), (-0.2, 0.5)), HEIGHT, WIDTH)
    assert found.locate(np.array(50.0), np.array(100.0)) == pytest.approx((51.0, 98.0))
