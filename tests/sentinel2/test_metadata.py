"""The XML metadata of a product, element by element."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.errors import InputError
from cloudfree.sentinel2.metadata import product_metadata, sun_azimuth_deg, utc_time
from tests.factories.sentinel2_products import SUN_AZIMUTH_DEG, Safe, _product_xml, _tile_xml


@pytest.mark.parametrize("level", ["L1C", "L2A"])
@pytest.mark.parametrize(("baseline", "offset"), [("02.14", 0), ("04.00", -1000), ("05.11", -1000)])
def test_every_element_is_read(level: str, baseline: str, offset: float) -> None:
    text = _product_xml(Safe(level=level, baseline=baseline, quantification=5000))
    found = product_metadata(text.encode(), "MTD.xml")
    assert (found.level, found.baseline, found.quantification) == (level, baseline, 5000)
    assert (found.nodata, found.saturated) == (0, 65535)
    assert {one.offset_dn for one in found.evidence} == {offset}
    assert found.acquisition.platform == "Sentinel-2B"
    assert found.acquisition.acquired == datetime(2022, 6, 5, 10, 50, 31, 24_000, tzinfo=UTC)
    assert (found.acquisition.orbit_direction, found.acquisition.relative_orbit) == (
        "descending",
        51,
    )


def test_the_sun_is_its_mean_and_no_view_of_an_instrument() -> None:
    assert sun_azimuth_deg(_tile_xml(Safe()).encode(), "MTD_TL.xml") == SUN_AZIMUTH_DEG
    assert sun_azimuth_deg(b"<a/>", "MTD_TL.xml") is None


def test_metadata_of_something_else_is_refused() -> None:
    with pytest.raises(InputError, match=r"a\.xml is not about Sentinel-2 .*; wanted MTD_MSIL1C"):
        product_metadata(b"<a/>", "a.xml")


@given(st.datetimes(timezones=st.timezones()))
def test_times_are_in_utc_whatever_their_zone(time: datetime) -> None:
    if time.utcoffset() is not None and time.utcoffset().total_seconds() % 60 == 0:
        assert utc_time(time.isoformat()) == time.astimezone(UTC)
    assert utc_time(time.replace(tzinfo=None).isoformat()) == time.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "yesterday"])
def test_no_time_is_unknown(text: str | None) -> None:
    assert utc_time(text) is None
