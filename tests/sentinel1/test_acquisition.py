from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloudfree.core.acquisition import Acquisition
from cloudfree.sentinel1.acquisition import acquisition_of_name


@pytest.mark.parametrize(
    ("name", "platform", "start", "orbit", "direction"),
    [
        (
            "S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371.SAFE",
            "Sentinel-1B", (2021, 12, 23, 5, 11, 22), 22, None,
        ),
        (
            "S1A_IW_GRDH_1SDV_20180716T004042_20180716T004107_022812_02792A_FD5B",
            "Sentinel-1A", (2018, 7, 16, 0, 40, 42), 165, None,
        ),
        (
            "S1A_IW_GRDH_1SDV_20220501T103013_20220501T103038_043016_0522DB_rtc",
            "Sentinel-1A", (2022, 5, 1, 10, 30, 13), 69, None,
        ),
        (
            "S1C_IW_GRDH_1SDV_20250601T051122_20250601T051147_002600_0056A1_5371",
            "Sentinel-1C", (2025, 6, 1, 5, 11, 22), None, None,
        ),
        (
            "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_41_VV.tif",
            "Sentinel-1A", (2017, 6, 13, 16, 50, 43), None, None,
        ),
        (
            "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif",
            "Sentinel-1A", (2015, 3, 9, 17, 30, 17), None, "ascending",
        ),
    ],
)  # fmt: skip
def test_a_name_tells_platform_time_and_orbit(
    name: str, platform: str, start: tuple[int, ...], orbit: int | None, direction: str | None
) -> None:
    seen = acquisition_of_name(name)
    assert seen is not None
    assert seen.product is not None
    assert name.startswith(seen.product)
    assert (seen.platform, seen.relative_orbit) == (platform, orbit)
    assert seen.orbit_direction == direction
    assert seen.acquired == datetime(*start, tzinfo=UTC)


@pytest.mark.parametrize("name", ["vv_vh.tif", "S2A_MSIL1C_20221005T115411_N0400_R023_T29UNU", ""])
def test_other_names_tell_nothing(name: str) -> None:
    assert acquisition_of_name(name) is None


def test_a_name_with_an_impossible_date_has_no_date() -> None:
    seen = acquisition_of_name("S1A_IW_GRDH_1SDV_20179913T165043_33UUP")
    assert isinstance(seen, Acquisition)
    assert seen.acquired is None
