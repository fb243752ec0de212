"""The rows of the table of other dates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from cloudfree.core.displacement import Shift
from cloudfree.core.mask_classes import FILL_COLOURS, FillClass
from cloudfree.raster.used_reference import UsedReference
from cloudfree.report.reference_table import UNKNOWN, ReferenceRow, reference_rows

KNOWN = UsedReference(
    path=PurePosixPath("../dates/may.tif"),
    acquired=datetime(2021, 5, 4, 10, 50, tzinfo=UTC),
    days=-25.3,
    shift=Shift(0.254, -1.5),
    shift_reason="reliable",
    shows=0.948,
    share=0.9255,
    error=0.01883,
    with_radar=True,
)


def test_what_is_known_of_a_date_is_said() -> None:
    assert reference_rows([KNOWN]) == (
        ReferenceRow(
            number=1,
            colour=FILL_COLOURS[FillClass.REFERENCE_1],
            name="may.tif",
            day="2021-05-04",
            days="-25",
            shift="+0.25, -1.50",
            shift_reason="reliable",
            shows="94.8 %",
            filled="92.5 %",
            error="0.0188",
            radar="yes",
        ),
    )


def test_a_dash_stands_for_what_is_unknown() -> None:
    (row,) = reference_rows([UsedReference(path=PurePosixPath("may.tif"))])
    assert {row.day, row.days, row.shows, row.filled, row.error} == {UNKNOWN}
    assert (row.shift, row.shift_reason, row.radar) == ("none", "", "no")


def test_a_shift_that_is_none_says_so_once() -> None:
    reason = "none: 0.01 px is less than can be told"
    (row,) = reference_rows([UsedReference(path=PurePosixPath("a.tif"), shift_reason=reason)])
    assert (row.shift, row.shift_reason) == ("none", "0.01 px is less than can be told")


def test_dates_have_the_colours_of_their_classes_on_the_map() -> None:
    first, second = reference_rows([KNOWN, KNOWN])
    assert (first.number, second.number) == (1, 2)
    assert second.colour == FILL_COLOURS[FillClass.REFERENCE_2] != first.colour
