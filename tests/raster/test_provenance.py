"""What the tags of a result tell."""

from __future__ import annotations

import pytest

from cloudfree.core.displacement import NO_SHIFT, PolynomialDisplacement, Shift
from cloudfree.errors import InputError
from cloudfree.raster.provenance import provenance_of


def test_a_file_of_another_tool_is_refused_with_the_next_step():
    with pytest.raises(
        InputError, match=r"x\.tif has no CLOUDFREE_VERSION tag.*cloudfree remove --s1"
    ):
        provenance_of({"AREA_OR_POINT": "Area"}, "x.tif", 48, 64)


def test_missing_tags_are_none():
    made = provenance_of({"CLOUDFREE_VERSION": "0.1.0"}, "x.tif", 48, 64)
    assert (made.model, made.s2, made.mask, made.shift) == (None, None, None, NO_SHIFT)
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("tag", "shift"),
    [("-0.500,1.250", Shift(-0.5, 1.25)), ("none", NO_SHIFT), ("", NO_SHIFT), ("1", NO_SHIFT)],
)
def test_the_shift_is_rows_and_columns_or_none(tag, shift):
    made = provenance_of({"CLOUDFREE_VERSION": "0", "CLOUDFREE_SHIFT_PX": tag}, "x.tif", 48, 64)
    assert made.shift == shift


def test_a_shift_that_changes_is_read_with_the_size_of_the_result():
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_SHIFT_COEFFICIENTS": "1,0 0,0 0,2"}
    shift = provenance_of(tags, "x.tif", 48, 64).shift
    assert shift == PolynomialDisplacement(1, ((1, 0), (0, 0), (0, 2)), 48, 64)


def test_the_units_are_the_first_word_of_their_tag():
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_S1_UNITS": "linear (as given)"}
    assert provenance_of(tags, "x.tif", 48, 64).s1_units == "linear"


def test_warnings_are_lines():
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_WARNINGS": "no grid | no radar over 3 %"}
    assert provenance_of(tags, "x.tif", 48, 64).warnings == ("no grid", "no radar over 3 %")


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({}, None),
        ({"CLOUDFREE_ADAPTED": "no: too little clear ground"}, "no: too little clear ground"),
        (
            {"CLOUDFREE_ADAPTED": "yes", "CLOUDFREE_ADAPTED_GAIN_DB": "1.5"},
            "yes, +1.50 dB on clear ground held out",
        ),
    ],
)
def test_what_adapting_brought_is_told(tags: dict[str, str], told: str | None) -> None:
    assert provenance_of({"CLOUDFREE_VERSION": "0", **tags}, "x.tif", 48, 64).adapted == told
