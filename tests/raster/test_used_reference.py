"""References of a result in its tags."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.raster.provenance import reference_tags
from cloudfree.raster.used_reference import UsedReference, references_from_tags

REFERENCE = UsedReference(
    path=PurePosixPath("earlier/s2_20210414.tif"),
    acquired=datetime(2021, 4, 14, 10, 50, tzinfo=UTC),
    days=-10.0,
    shift=Shift(0.5, -1.25),
    shift_reason="corrected",
    shows=0.6,
    share=0.25,
    error=0.0125,
    with_radar=True,
)


def _numbers(digits: int) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(0, 1).map(lambda number: round(number, digits))


references = st.builds(
    UsedReference,
    path=st.sampled_from(["a.tif", "../b c/d.SAFE", "ä.zip"]).map(PurePosixPath),
    acquired=st.none() | st.datetimes(timezones=st.just(UTC)),
    days=st.none() | st.integers(-400, 400).map(float),
    shift=st.tuples(*[st.integers(-8, 8).map(float)] * 2).map(lambda pair: Shift(*pair)),
    shift_reason=st.text("abc 1.", max_size=8),
    shows=_numbers(4),
    share=_numbers(4),
    error=_numbers(5),
    with_radar=st.booleans(),
)


@given(st.lists(references, max_size=8).map(tuple))
def test_references_read_back(given_ones: tuple[UsedReference, ...]) -> None:
    assert references_from_tags(reference_tags(given_ones)) == given_ones


def test_names_and_texts_of_the_tags() -> None:
    assert REFERENCE.to_tags(2) == {
        "CLOUDFREE_REFERENCE_2": "earlier/s2_20210414.tif",
        "CLOUDFREE_REFERENCE_2_SENSED": "2021-04-14T10:50:00+00:00",
        "CLOUDFREE_REFERENCE_2_DAYS": "-10.00",
        "CLOUDFREE_REFERENCE_2_SHIFT_PX": "0.500,-1.250",
        "CLOUDFREE_REFERENCE_2_SHIFT_REASON": "corrected",
        "CLOUDFREE_REFERENCE_2_SHOWS": "0.6000",
        "CLOUDFREE_REFERENCE_2_SHARE": "0.2500",
        "CLOUDFREE_REFERENCE_2_ERROR": "0.01250",
        "CLOUDFREE_REFERENCE_2_RADAR": "yes",
    }


def test_damaged_tags_are_unknown() -> None:
    tags = dict.fromkeys(REFERENCE.to_tags(1), "?")
    (found,) = references_from_tags(tags)
    assert (found.acquired, found.days, found.shift, found.share) == (None, None, NO_SHIFT, None)


def test_numbers_that_no_reference_has_are_unknown() -> None:
    for text in ("nan", "inf", "-1e308"):
        numbers = {name: text for name in REFERENCE.to_tags(1) if name.rpartition("_")[2].isalpha()}
        (found,) = references_from_tags({**REFERENCE.to_tags(1), **numbers})
        assert (found.days, found.shows, found.share, found.error) == (None,) * 4
        assert found.summary(1).isprintable()


def test_one_line_tells_what_it_did() -> None:
    wanted = "reference 1: s2_20210414.tif, -10 days, filled 25%, error 0.0125"
    assert REFERENCE.summary(1) == wanted
