"""Elements of an annotation are numbers and times, or refused with their path and file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import InputError
from cloudfree.sentinel1.annotation_xml import (
    AnnotationElement,
    Range,
    column,
    rising_column,
    rising_times,
)

SMALL = Range(0, 10)


def _root(text: str) -> AnnotationElement:
    return AnnotationElement.parse(f"<a>{text}</a>".encode(), "a.xml")


def test_elements_are_found_by_their_paths() -> None:
    root = _root("<b><c> 1 </c><c>2</c></b>")
    assert root.has("b/c")
    assert not root.has("c")
    assert root.find("b").text("c") == "1"
    assert column(root.all("b/c"), ".", SMALL).tolist() == [1, 2]
    with pytest.raises(InputError, match=r"no b/d in a\.xml; wanted a complete annotation"):
        root.text("b/d")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_lies_within_its_range_or_is_refused(number: float) -> None:
    root = _root(f"<b>{number!r}</b>")
    if 0 <= number <= 10:
        assert root.number("b", SMALL) == number
    else:
        with pytest.raises(InputError, match=r"b = .*, not within 0 and 10, in a\.xml"):
            root.number("b", SMALL)


@pytest.mark.parametrize("text", ["ten", "0x10", "1,5", "1 2"])
def test_another_text_is_no_number(text: str) -> None:
    with pytest.raises(InputError, match=r"number.? in b"):
        _root(f"<b>{text}</b>").number("b", SMALL)


def test_what_falls_does_not_rise() -> None:
    falling = _root("<b>2</b><b>1</b>").all("b")
    with pytest.raises(InputError, match=r"\. that falls from one element to the next in a\.xml"):
        rising_column(falling, ".", SMALL)
    again = _root("<b>2021-04-24T00:00:00</b>" * 2).all("b")
    with pytest.raises(InputError, match=r"that does not rise"):
        rising_times(again, ".")


@pytest.mark.parametrize(
    "text", ["now", "today", "NaT", "2021", "2021-02-30T00:00:00", "1999-01-01T00:00:00"]
)
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(InputError, match="no time of Sentinel-1 in b"):
        _root(f"<b>{text}</b>").time("b")


def test_a_time_has_all_its_digits() -> None:
    time = _root("<b>2021-04-24T17:32:40.512345</b>").time("b")
    assert time == np.datetime64("2021-04-24T17:32:40.512345", "ns")
