"""Dates and times in ISO 8601 become times in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.iso_time import in_utc, time_of, utc_time


@pytest.mark.parametrize("text", ["2021-04-24", "20210424", "2021-W16-6"])
def test_a_date_is_noon(text: str) -> None:
    assert time_of(text) == datetime(2021, 4, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2021-04-24T10:50:31Z", "2021-04-24 10:50:31", "20210424T105031", "2021-04-24T12:50:31+02:00"],
)
def test_a_time_is_in_utc_unless_it_names_a_zone(text: str) -> None:
    assert time_of(text) == datetime(2021, 4, 24, 10, 50, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2021-13-01", "2021-02-30", "24.04.2021", "2021-04-24T25:00",
             "0001-01-01T00:00+14:00"]
)  # fmt: skip
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        time_of(text)


@given(st.dates())
def test_every_date_is_read_back(day: date) -> None:
    assert time_of(day.isoformat()).date() == day


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)), st.integers(-14, 14)
)  # satellites are younger
def test_every_time_is_read_back_and_its_zone_does_not_matter(moment: datetime, hours: int) -> None:
    assert time_of(moment.isoformat()) == moment.replace(tzinfo=UTC)
    elsewhere = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert in_utc(elsewhere) == elsewhere
    assert in_utc(elsewhere).utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.timezones()))
def test_times_are_in_utc_whatever_their_zone(time: datetime) -> None:
    if time.utcoffset() is not None and time.utcoffset().total_seconds() % 60 == 0:
        assert utc_time(time.isoformat()) == time.astimezone(UTC)
    assert utc_time(time.replace(tzinfo=None).isoformat()) == time.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "yesterday"])
def test_no_time_is_unknown(text: str | None) -> None:
    assert utc_time(text) is None
