"""The gap between two acquisitions is a distance."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.commands.coregister.run import run
from cloudfree.core.acquisition import UNKNOWN, Acquisition, check_gap, gap_days, stated
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from tests.factories.rasters import write_cloudy_scene, write_radar

acquisitions = st.datetimes(timezones=st.just(UTC)).map(lambda time: Acquisition(acquired=time))


@given(acquisitions, acquisitions)
def test_the_gap_is_symmetric_and_never_negative(one: Acquisition, other: Acquisition) -> None:
    gap = one.gap(other)
    assert gap is not None
    assert gap == other.gap(one) >= timedelta(0)
    assert one.gap(one) == timedelta(0)


def test_a_gap_needs_two_dates() -> None:
    dated = Acquisition(acquired=datetime(2021, 4, 24, tzinfo=UTC))
    assert dated.gap(UNKNOWN) is None
    assert UNKNOWN.gap(dated) is None


RADAR = Acquisition(
    "S1A_X", "Sentinel-1A", datetime(2021, 4, 24, 17, 32, tzinfo=UTC), "ascending", 95
)


def _optical(days: float) -> Acquisition:
    assert RADAR.acquired is not None
    return Acquisition(acquired=RADAR.acquired + timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "warned"), [(0.2, False), (-6.9, False), (7.1, True), (-29.9, True)]
)
def test_a_gap_is_logged_and_a_long_one_warned_of(
    days: float, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    check_gap(RADAR, _optical(days), 30.0)
    described = "Sentinel-1A ascending orbit 95 seen 2021-04-24 17:32 UTC, "
    assert f"{described}{abs(days):.1f} days from the optical scene" in caplog.text
    warnings = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert bool(warnings) == warned
    assert all(text.startswith(f"{abs(days):.1f} days between") for text in warnings)


@pytest.mark.parametrize("days", [30.5, -400])
def test_a_gap_of_a_month_is_refused_unless_it_is_allowed(days: float) -> None:
    text = (
        rf"{abs(days):.1f} days between Sentinel-1 \(2021-04-24\).*--max-gap {int(abs(days)) + 1}"
    )
    with pytest.raises(InputError, match=text):
        check_gap(RADAR, _optical(days), 30.0)
    check_gap(RADAR, _optical(days), int(abs(days)) + 1)


@pytest.mark.parametrize(
    ("radar", "optical", "text"),
    [
        (RADAR, UNKNOWN, "unknown: no date of the optical scene, which --s2-date can state"),
        (
            UNKNOWN,
            _optical(0),
            "Sentinel-1, days from the optical scene unknown: no date of Sentinel-1, which --s1-d",
        ),
    ],
)
def test_an_unknown_date_is_a_note(
    radar: Acquisition, optical: Acquisition, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    check_gap(radar, optical, 30.0)
    assert text in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_the_gap_is_in_days_and_unknown_without_a_date() -> None:
    assert gap_days(RADAR, _optical(3.5)) == gap_days(_optical(3.5), RADAR) == 3.5
    assert gap_days(UNKNOWN, _optical(1)) is None
    assert gap_days(RADAR, UNKNOWN) is None


NOON = datetime(2021, 4, 24, 12, tzinfo=UTC)


def test_a_stated_time_wins_over_the_metadata_with_a_note(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    assert stated(RADAR, None, "--s1-date") is RADAR
    assert stated(UNKNOWN, NOON, "--s1-date") == Acquisition(acquired=NOON)
    assert not caplog.records
    found = stated(RADAR, NOON, "--s1-date")
    assert (found.acquired, found.platform) == (NOON, RADAR.platform)
    replaced = "--s1-date 2021-04-24 12:00 UTC replaces 2021-04-24 17:32 UTC in the metadata"
    assert replaced in caplog.text


def test_a_stated_time_without_a_zone_is_in_utc() -> None:
    assert stated(UNKNOWN, datetime(2021, 4, 24, 12), "--s2-date").acquired == NOON


def test_scenes_of_different_seasons_are_not_joined(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "S1A_IW_GRDH_1SDV_20170613T165043_33UUP.tif")
    s2 = write_cloudy_scene(tmp_path / "S2A_MSIL1C_20171224T104441_N0206_R008_T31TCJ.tif")
    with pytest.raises(InputError, match=r"193\.7 days between Sentinel-1 \(2017-06-13\)"):
        run(CoregisterOptions((s1,), s2), silent)
    result = run(CoregisterOptions((s1,), s2, max_gap=194), silent)
    with rasterio.open(result.output) as dataset:
        tags = dataset.tags()
    assert tags["CLOUDFREE_GAP_DAYS"] == "193.75"
    assert tags["CLOUDFREE_S1_SENSED"] == "2017-06-13T16:50:43+00:00"
