"""Numbers in tags are finite and within their ranges, or unknown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.raster.tag_numbers import tag_number, tag_numbers, tag_share


@given(st.text() | st.floats().map(repr))
def test_whatever_a_tag_holds_is_a_number_of_sensible_size_or_unknown(text: str) -> None:
    for number in (tag_number(text), *tag_numbers(text)):
        assert number is None or abs(number) <= 1e6
    share = tag_share(text)
    assert share is None or 0 <= share <= 1


@pytest.mark.parametrize("text", [None, "", "?", "nan", "inf", "-inf", "1e308", "1000001", "1,5"])
def test_what_is_no_number_is_unknown(text: str | None) -> None:
    assert tag_number(text) is None


def test_numbers_are_read_within_their_ranges() -> None:
    assert (tag_number("-12.5"), tag_share("0.25"), tag_share("1.01")) == (-12.5, 0.25, None)
    assert tag_numbers("1.5,-2") == (1.5, -2.0)
    assert tag_numbers("1.5,") == tag_numbers("1.5,nan") == ()
    assert math.isclose(tag_number("1e-3", 0, 1) or 0, 0.001)
