"""Which day a file is named after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudfree.core.acquisition import UNKNOWN, Acquisition
from cloudfree.core.dated_names import dated, day_in_name

NOON = datetime(2018, 5, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["s2_20180531.tif", "patch_7_2018-05-31_0.tif", "2018_05_31", "x20180531T101010.tif"]
)
def test_a_day_is_read_however_it_is_written(name: str) -> None:
    assert day_in_name(name) == NOON


@pytest.mark.parametrize(
    "name", ["s2.tif", "T31UFU_120180531.tif", "s2_20181331.tif", "2018-0531.tif", "s2_201805.tif"]
)
def test_other_numbers_are_no_day(name: str) -> None:
    assert day_in_name(name) is None


def test_a_number_that_is_no_day_does_not_hide_one_that_is() -> None:
    assert day_in_name("20991399_20180531.tif") == NOON


def test_only_what_has_no_date_gets_that_of_its_name() -> None:
    known = Acquisition(acquired=datetime(2020, 1, 1, tzinfo=UTC))
    assert dated(known, Path("20180531.tif")) is known
    assert dated(UNKNOWN, Path("20180531.tif")).acquired == NOON
    assert dated(UNKNOWN, Path("20180531/s2.tif")).acquired is None
