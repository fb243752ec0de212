"""The XML metadata of a product, element by element."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloudfree.errors import InputError
from cloudfree.sentinel2.metadata import product_metadata, sun_azimuth_deg
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


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (">10000<", ">ten<", "'ten' as QUANTIFICATION_VALUE in MTD.xml; wanted a number"),
        (">10000<", "><", "'' as QUANTIFICATION_VALUE in MTD.xml"),
        (">10000<", ">nan<", "'nan' as QUANTIFICATION_VALUE"),
        (">10000<", ">1_0000<", "'1_0000' as QUANTIFICATION_VALUE"),
        (">-1000<", ">0x10<", "'0x10' as RADIO_ADD_OFFSET"),
        (">65535<", ">1e12<", "'1e12' as SPECIAL_VALUE_INDEX .* from 0 to 65535"),
        (">51<", ">144<", "'144' as SENSING_ORBIT_NUMBER .* from 1 to 143"),
    ],
)
def test_a_text_in_place_of_a_number_is_refused(old: str, new: str, text: str) -> None:
    damaged = _product_xml(Safe(baseline="05.11")).replace(old, new)
    with pytest.raises(InputError, match=text):
        product_metadata(damaged.encode(), "MTD.xml")


@pytest.mark.parametrize("azimuth", ["", "ten", "400", "inf"])
def test_a_sun_that_stands_nowhere_is_refused(azimuth: str) -> None:
    damaged = _tile_xml(Safe()).replace(f">{SUN_AZIMUTH_DEG}<", f">{azimuth}<")
    with pytest.raises(InputError, match=r"as AZIMUTH_ANGLE in MTD_TL\.xml; .* from 0 to 360"):
        sun_azimuth_deg(damaged.encode(), "MTD_TL.xml")
