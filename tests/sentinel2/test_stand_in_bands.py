"""Bands that a scene lacks are made of those it has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.sentinel2.stand_in_bands import STAND_INS, irreplaceable, with_stand_ins

TEN_METRES = ("B02", "B03", "B04", "B08")
PLANES = {
    band: np.full((2, 3), number, np.float32) for number, band in enumerate(OPTICAL_BANDS, start=1)
}


@given(st.sets(st.sampled_from([*STAND_INS])))
def test_bands_that_are_there_stay_and_all_others_are_made(left_out: set[str]) -> None:
    given_planes = {band: plane for band, plane in PLANES.items() if band not in left_out}
    found = with_stand_ins(given_planes, OPTICAL_BANDS)
    for band, plane in zip(OPTICAL_BANDS, found, strict=True):
        assert np.isfinite(plane).all()
        if band not in left_out:
            assert np.array_equal(plane, PLANES[band])


def test_vapour_takes_much_of_b09_and_nearly_all_of_b10() -> None:
    found = with_stand_ins({band: PLANES[band] for band in TEN_METRES}, ("B09", "B10"))
    assert found[:, 0, 0] == pytest.approx((0.6 * 8, 0.01 * 2))


def test_what_no_other_band_shows_is_irreplaceable() -> None:
    assert irreplaceable(OPTICAL_BANDS, TEN_METRES) == ()
    assert irreplaceable(OPTICAL_BANDS, ("B02", "B04", "B08", "B11")) == ("B03",)
    assert irreplaceable(("B02",), ()) == ("B02",)


def test_what_is_not_wanted_is_not_made() -> None:
    colours = {band: PLANES[band] for band in ("B02", "B03", "B04")}
    assert with_stand_ins(colours, ("B04", "B01"))[:, 0, 0] == pytest.approx((4, 2))
