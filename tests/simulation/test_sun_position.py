"""The sun stands where almanacs say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.simulation.sun_position import sun_position

YEAR = st.datetimes(datetime(2020, 1, 1), datetime(2021, 12, 31), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("month", "day", "declination_deg"), [(3, 20, 0.0), (6, 21, 23.44), (12, 21, -23.44)]
)
def test_at_noon_the_sun_stands_in_the_south_as_high_as_the_season_has_it(
    month: int, day: int, declination_deg: float
) -> None:
    lowest = min(
        (sun_position(48.7, 3.0, datetime(2021, month, day, 11, minute, tzinfo=UTC)))
        .zenith_deg
        for minute in range(30, 60)
    )  # fmt: skip
    assert lowest == pytest.approx(48.7 - declination_deg, abs=0.6)


@pytest.mark.parametrize(("month", "minutes"), [(2, -14.2), (11, 16.4)])
def test_the_sun_is_late_in_february_and_early_in_november(month: int, minutes: float) -> None:
    noon = datetime(2021, month, 11 if month == 2 else 3, 12, tzinfo=UTC)
    when = noon - timedelta(minutes=minutes)
    assert sun_position(50.0, 0.0, when).azimuth_deg == pytest.approx(180, abs=0.3)


def test_it_rises_in_the_east_and_sets_in_the_west_at_the_equinox() -> None:
    for hour, azimuth_deg in ((6, 90), (18, 270)):
        sun = sun_position(0.0, 0.0, datetime(2021, 3, 20, hour, 7, tzinfo=UTC))
        assert sun.azimuth_deg == pytest.approx(azimuth_deg, abs=0.5)
        assert sun.zenith_deg == pytest.approx(90, abs=0.5)


@given(when=YEAR, latitude_deg=st.floats(-89, 89), longitude_deg=st.floats(-180, 180))
def test_the_sun_is_somewhere_in_the_sky(
    when: datetime, latitude_deg: float, longitude_deg: float
) -> None:
    sun = sun_position(latitude_deg, longitude_deg, when)
    assert 0 <= sun.azimuth_deg <= 360
    assert abs(latitude_deg) - 23.6 <= sun.zenith_deg <= 180


@given(when=YEAR)
def test_the_time_zone_does_not_matter(when: datetime) -> None:
    elsewhere = when.astimezone(timezone(timedelta(hours=5)))
    assert sun_position(50.0, 8.0, when) == sun_position(50.0, 8.0, elsewhere)
