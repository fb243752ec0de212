"""Products survive the way into tags and back."""

from __future__ import annotations

from datetime import UTC
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.acquisition import Acquisition
from cloudfree.sentinel2.gdal_tags import (
    DECIDED_TAG,
    stated_tags,
    tagged_product,
    tags_of,
)
from cloudfree.sentinel2.metadata import number_of
from cloudfree.sentinel2.offset import OffsetEvidence
from cloudfree.sentinel2.product import OpticalProduct

acquisitions = st.builds(
    Acquisition,
    product=st.just("X"),
    platform=st.sampled_from([None, "Sentinel-2A"]),
    acquired=st.none() | st.datetimes(timezones=st.just(UTC)),
    orbit_direction=st.sampled_from([None, "ascending", "descending"]),
    relative_orbit=st.none() | st.integers(1, 143),
)
products = st.builds(
    OpticalProduct,
    kind=st.just("raster"),
    name=st.just("X"),
    level=st.sampled_from([None, "L1C", "L2A"]),
    baseline=st.sampled_from([None, "02.14", "05.11"]),
    quantification=st.none() | st.integers(1, 20_000).map(float),
    nodata=st.sampled_from([None, 0.0]),
    saturated=st.sampled_from([None, 65535.0]),
    sun_azimuth_deg=st.none() | st.floats(0, 360),
    acquisition=acquisitions,
)


@given(products)
def test_tags_give_back_the_product(product: OpticalProduct) -> None:
    found = tagged_product(OpticalProduct("raster", "X"), tags_of(product), PurePath("/a.tif"))
    for name in ("level", "baseline", "quantification", "nodata", "saturated", "sun_azimuth_deg"):
        assert getattr(found, name) == getattr(product, name)
    assert found.acquisition == product.acquisition


@given(products)
def test_the_tags_that_can_be_stated_are_those_of_the_date_and_the_sun(
    product: OpticalProduct,
) -> None:
    found = tagged_product(OpticalProduct("raster", "X"), stated_tags(product), PurePath("/a.tif"))
    assert found.acquisition.acquired == product.acquisition.acquired
    assert found.sun_azimuth_deg == product.sun_azimuth_deg
    assert len(stated_tags(product)) <= 2


def test_the_decision_of_an_earlier_run_is_the_only_evidence() -> None:
    evidence = (OffsetEvidence("band tag", 0, "0"),)
    tags = {DECIDED_TAG: "-1000", "PROCESSING_BASELINE": "02.14"}
    found = tagged_product(OpticalProduct("r", "X", evidence=evidence), tags, PurePath("/a.tif"))
    assert [one.offset_dn for one in found.evidence] == [-1000]


@pytest.mark.parametrize(
    ("text", "number"), [("1.5", 1.5), (None, None), ("", None), ("nan", None), ("inf", None)]
)
def test_only_finite_numbers_are_numbers(text: str | None, number: float | None) -> None:
    assert number_of(text) == number
