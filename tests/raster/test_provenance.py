"""How an output was made reads back from its tags."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.displacement import NO_SHIFT, Displacement, PolynomialDisplacement, Shift
from cloudfree.errors import InputError
from cloudfree.raster.parts import Parts
from cloudfree.raster.provenance import (
    Provenance,
    acquisition_from_tags,
    acquisition_tags,
    displacement_from_tags,
    displacement_tags,
    warning_tags,
)
from tests.raster.test_used_reference import references

HEIGHT, WIDTH = 101, 201
AFFINE = {"CLOUDFREE_SHIFT_PX": "1.5,-2", "CLOUDFREE_SHIFT_COEFFICIENTS": "1,-2 0.3,0.1 -0.2,0.5"}


def decimals(digits: int, least: float = -20, most: float = 20) -> st.SearchStrategy[float]:
    return st.floats(least, most).map(lambda number: round(number, digits))


pairs = st.tuples(decimals(3), decimals(3))
shifts = pairs.map(lambda pair: Shift(*pair))
texts = st.text(max_size=20)
names = st.text("abcXYZ019 ._-äé", min_size=1, max_size=12).filter(lambda name: name != ".")
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: PurePosixPath(*parts))
sentences = st.text("abc 3%-.,", min_size=1, max_size=20)


@st.composite
def displacements(draw: st.DrawFn) -> Displacement:
    degree = draw(st.integers(0, 3))
    if degree == 0:
        return draw(shifts)
    count = (degree + 1) * (degree + 2) // 2
    coefficients = tuple(draw(st.lists(pairs, min_size=count, max_size=count)))
    bounds = draw(st.sampled_from([(-1.0, -1.0, 1.0, 1.0), (-0.5, -0.25, 0.75, 1.0)]))
    return PolynomialDisplacement(degree, coefficients, HEIGHT, WIDTH, bounds)


acquisitions = st.builds(
    Acquisition,
    product=st.none(),
    platform=st.none() | st.sampled_from(["Sentinel-1A", "Sentinel-1C"]),
    acquired=st.none() | st.datetimes(timezones=st.just(UTC)),
    orbit_direction=st.sampled_from([None, "ascending", "descending"]),
    relative_orbit=st.none() | st.integers(1, 175),
)
# Every field that the class has, so that a new one cannot miss the law.
FIELDS = {
    **dict.fromkeys(
        ("model", "model_sha256", "model_license", "s1_units", "shift_model", "shift_reason",
         "adapted", "mask_dilate"),
        st.none() | texts,
    ),
    **dict.fromkeys(
        ("s2", "s1", "dem", "mask", "filled", "uncertainty", "used_mask"), st.none() | paths
    ),
    "version": texts,
    "mask_threshold": st.none() | decimals(2, 0, 1),
    "s2_offset": st.none() | st.integers(-10_000, 10_000).map(float),
    "shift": displacements(),
    "shift_measured": st.none() | shifts,
    "shift_applied": st.none() | st.booleans(),
    "shift_reliability": st.none() | decimals(3, 0, 1),
    "adapted_gain_db": st.none() | decimals(2),
    "adapted_share": st.none() | decimals(2, 0, 1),
    "s1_acquisition": acquisitions,
    "gap_days": st.none() | decimals(2, 0, 400),
    "parts": st.none() | st.builds(
        Parts, decimals(3, 0, 1), *(decimals(5, 0, 1) for _ in ("scene", "network", "together"))
    ),
    "references": st.lists(references, max_size=2).map(tuple),
    "s1_slices": st.lists(paths, max_size=3).map(tuple),
    "warnings": st.lists(sentences, max_size=3).map(tuple),
}  # fmt: skip


@given(st.builds(Provenance, **FIELDS))
def test_every_provenance_reads_back(provenance: Provenance) -> None:
    assert Provenance.from_tags(provenance.to_tags(), HEIGHT, WIDTH) == provenance


def test_the_law_covers_every_field() -> None:
    assert set(FIELDS) == {field.name for field in fields(Provenance)}


def test_names_and_texts_of_the_tags_stay_as_results_have_them() -> None:
    provenance = Provenance(
        version="0.1.0", model="cloudfree-s", model_sha256="9f86d0", model_license="Apache-2.0",
        s2=PurePosixPath("../l1c.tif"), s1=PurePosixPath("s1.tif"), dem=PurePosixPath("dem.tif"),
        s1_slices=(PurePosixPath("north.tif"), PurePosixPath("far.tif")),
        mask=PurePosixPath("mask.tif"), filled=PurePosixPath("f.tif"),
        uncertainty=PurePosixPath("u.tif"), used_mask=PurePosixPath("m.tif"),
        s1_units="db (as given)", s2_offset=-1000.0,
        shift=PolynomialDisplacement(1, ((1, -2), (0.3, 0.1), (-0.2, 0.5)), HEIGHT, WIDTH),
        shift_model="affine", shift_reason="corrected", shift_measured=Shift(1, -2),
        shift_applied=True, shift_reliability=0.5, adapted="yes", adapted_gain_db=1.25,
        adapted_share=0.5, gap_days=3.5, warnings=("no grid", "3 % have no radar"),
        s1_acquisition=Acquisition(
            "S1A_IW", "Sentinel-1A", datetime(2021, 4, 24, 17, 32, tzinfo=UTC), "ascending", 95
        ),
    )  # fmt: skip
    assert provenance.to_tags() == {
        "CLOUDFREE_VERSION": "0.1.0",
        "CLOUDFREE_MODEL": "cloudfree-s",
        "CLOUDFREE_MODEL_SHA256": "9f86d0",
        "CLOUDFREE_MODEL_LICENSE": "Apache-2.0",
        "CLOUDFREE_S2": "../l1c.tif",
        "CLOUDFREE_S1": "s1.tif",
        "CLOUDFREE_S1_2": "north.tif",
        "CLOUDFREE_S1_3": "far.tif",
        "CLOUDFREE_DEM": "dem.tif",
        "CLOUDFREE_MASK": "mask.tif",
        "CLOUDFREE_FILLED": "f.tif",
        "CLOUDFREE_UNCERTAINTY": "u.tif",
        "CLOUDFREE_USED_MASK": "m.tif",
        "CLOUDFREE_S1_UNITS": "db (as given)",
        "CLOUDFREE_S2_OFFSET": "-1000",
        "CLOUDFREE_SHIFT_PX": "1.000,-2.000",
        "CLOUDFREE_SHIFT_COEFFICIENTS": "1.0000,-2.0000 0.3000,0.1000 -0.2000,0.5000",
        "CLOUDFREE_SHIFT_BOUNDS": "-1.0000,-1.0000,1.0000,1.0000",
        "CLOUDFREE_SHIFT_MODEL": "affine",
        "CLOUDFREE_SHIFT_REASON": "corrected",
        "CLOUDFREE_SHIFT_MEASURED_PX": "1.000,-2.000",
        "CLOUDFREE_SHIFT_APPLIED": "yes",
        "CLOUDFREE_SHIFT_RELIABILITY": "0.500",
        "CLOUDFREE_ADAPTED": "yes",
        "CLOUDFREE_ADAPTED_GAIN_DB": "1.25",
        "CLOUDFREE_ADAPTED_SHARE": "0.5",
        "CLOUDFREE_S1_SENSED": "2021-04-24T17:32:00+00:00",
        "CLOUDFREE_S1_PLATFORM": "Sentinel-1A",
        "CLOUDFREE_S1_ORBIT": "ascending 95",
        "CLOUDFREE_GAP_DAYS": "3.50",
        "CLOUDFREE_WARNINGS": "no grid | 3 % have no radar",
    }


def test_what_is_unknown_has_no_tag() -> None:
    assert Provenance(version="0").to_tags() == {
        "CLOUDFREE_VERSION": "0",
        "CLOUDFREE_SHIFT_PX": "0.000,0.000",
    }


def test_a_file_of_another_tool_is_refused_with_the_next_step() -> None:
    text = r"x\.tif has no CLOUDFREE_VERSION tag.*cloudfree remove --s1"
    with pytest.raises(InputError, match=text):
        Provenance.from_tags({"AREA_OR_POINT": "Area"}, 48, 64, "x.tif")


def test_missing_tags_are_none() -> None:
    made = Provenance.from_tags({"CLOUDFREE_VERSION": "0.1.0"}, 48, 64)
    assert made == Provenance(version="0.1.0")
    assert (made.model, made.s2, made.mask, made.shift) == (None, None, None, NO_SHIFT)
    assert (made.warnings, made.files) == ((), ())
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_MASK": ""}
    assert Provenance.from_tags(tags, 48, 64).files == ()


def test_the_files_are_inputs_and_companions() -> None:
    s2, filled = PurePosixPath("../l1c.tif"), PurePosixPath("filled.tif")
    assert Provenance(version="0", s2=s2, filled=filled).files == (s2, filled)


@pytest.mark.parametrize(
    ("tag", "shift"),
    [("-0.500,1.250", Shift(-0.5, 1.25)), ("none", NO_SHIFT), ("", NO_SHIFT), ("1", NO_SHIFT)],
)
def test_the_shift_is_rows_and_columns_or_none(tag: str, shift: Shift) -> None:
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_SHIFT_PX": tag}
    assert Provenance.from_tags(tags, 48, 64).shift == shift


def test_a_shift_that_changes_is_read_with_the_size_of_the_result() -> None:
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_SHIFT_COEFFICIENTS": "1,0 0,0 0,2"}
    shift = Provenance.from_tags(tags, 48, 64).shift
    assert shift == PolynomialDisplacement(1, ((1, 0), (0, 0), (0, 2)), 48, 64)


def test_the_quantity_is_the_first_word_of_the_units() -> None:
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_S1_UNITS": "linear (as given)"}
    assert Provenance.from_tags(tags, 48, 64).s1_quantity == "linear"
    assert Provenance(version="0").s1_quantity is None


@pytest.mark.parametrize("word", ["..", "auto?", "x" * 5000, "DB"])
def test_a_quantity_that_is_none_is_unknown(word: str) -> None:
    """It is the name of a setting, by which Sentinel-1 is opened."""
    tags = {"CLOUDFREE_VERSION": "1", "CLOUDFREE_S1_UNITS": word}
    assert Provenance.from_tags(tags, HEIGHT, WIDTH).s1_quantity is None


@pytest.mark.parametrize("word", ["\u00b2", "\u0661", "9" * 5000, "1234", "-22", "north"])
def test_an_orbit_that_is_none_is_unknown(word: str) -> None:
    found = acquisition_from_tags({"CLOUDFREE_S1_ORBIT": f"{word} descending"})
    assert found == Acquisition(orbit_direction="descending")


def test_warnings_are_sentences_and_none_is_an_empty_tag() -> None:
    tags = {"CLOUDFREE_VERSION": "0", "CLOUDFREE_WARNINGS": "no grid | no radar over 3 %"}
    assert Provenance.from_tags(tags, 48, 64).warnings == ("no grid", "no radar over 3 %")
    assert warning_tags(("no grid", "no radar")) == {"CLOUDFREE_WARNINGS": "no grid | no radar"}
    assert warning_tags(()) == {"CLOUDFREE_WARNINGS": ""}
    assert Provenance.from_tags({**tags, **warning_tags(())}, 48, 64).warnings == ()


@given(displacements())
def test_every_displacement_reads_back(displacement: Displacement) -> None:
    assert displacement_from_tags(displacement_tags(displacement), HEIGHT, WIDTH) == displacement


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({}, NO_SHIFT),
        ({"CLOUDFREE_SHIFT_PX": "none"}, NO_SHIFT),
        ({"CLOUDFREE_SHIFT_PX": "1"}, NO_SHIFT),
        ({**AFFINE, "CLOUDFREE_SHIFT_COEFFICIENTS": "1,-2 0.3,0.1"}, Shift(1.5, -2)),
        ({**AFFINE, "CLOUDFREE_SHIFT_COEFFICIENTS": "1,-2 0.3 x"}, Shift(1.5, -2)),
    ],
    ids=["nothing", "none", "one number", "two of three", "no numbers"],
)
def test_damaged_tags_leave_the_mean_or_nothing(tags: dict[str, str], found: Displacement) -> None:
    assert displacement_from_tags(tags, HEIGHT, WIDTH) == found


def test_results_without_bounds_were_measured_everywhere() -> None:
    found = displacement_from_tags(AFFINE, HEIGHT, WIDTH)
    assert found == PolynomialDisplacement(1, ((1, -2), (0.3, 0.1), (-0.2, 0.5)), HEIGHT, WIDTH)
    assert found.locate(np.array(50.0), np.array(100.0)) == pytest.approx((51.0, 98.0))


@given(acquisitions)
def test_every_acquisition_reads_back(seen: Acquisition) -> None:
    tags = acquisition_tags(seen)
    assert (acquisition_from_tags(tags) or UNKNOWN) == seen
    assert acquisition_tags(replace(seen, product="S1A_IW")) == tags


def test_a_damaged_date_or_one_without_a_zone_is_unknown() -> None:
    for text in ("yesterday", "2021-04-24T17:32:00"):
        assert acquisition_from_tags({"CLOUDFREE_S1_SENSED": text}) == UNKNOWN
    assert acquisition_from_tags({"PRODUCT_START_TIME": "2021-04-24T17:32:00Z"}) is None
