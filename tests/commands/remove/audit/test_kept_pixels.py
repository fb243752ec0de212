"""Pixels that changed, and reflectance that no ground has."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.commands.remove.audit.kept_pixels import changed, impossible


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_one_bit_of_one_band_is_a_change(dtype: str) -> None:
    before = np.ones((3, 4, 5), dtype)
    after = before.copy()
    after[2, 1, 3] = 2
    where = changed(before, after)
    assert where.sum() == 1
    assert where[1, 3]


def test_missing_numbers_that_stay_are_no_change() -> None:
    before = np.full((1, 2, 2), np.nan, np.float32)
    assert not changed(before, before.copy()).any()


@pytest.mark.parametrize(
    ("number", "expected"), [(0.0, 0), (1.6, 0), (-0.05, 0), (2.5, 4), (-1, 4)]
)
def test_filled_pixels_beyond_all_reflectance_are_counted(number: float, expected: int) -> None:
    planes = np.full((2, 3, 4), 0.2, np.float32)
    planes[1, 0] = number
    planes[0, 2] = np.nan
    assert impossible(planes, np.ones((3, 4), bool)) == expected
    assert impossible(planes, np.zeros((3, 4), bool)) == 0, "of those that are not filled none"
