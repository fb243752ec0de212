from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.sentinel2.product import bucket_tile, name_of_path, product_name

FULL = "S2A_MSIL1C_20170617T113321_N0205_R080_T29UPU_20170617T113319"


def test_a_product_s_name_tells_platform_level_time_baseline_and_orbit() -> None:
    name = product_name([f"{FULL}.SAFE"])
    assert name is not None
    assert (name.text, name.level, name.baseline) == (FULL, "L1C", "N0205")
    assert name.acquisition.platform == "Sentinel-2A"
    assert name.acquisition.relative_orbit == 80
    assert str(name.acquisition.acquired) == "2017-06-17 11:33:21+00:00"
    assert name.evidence[0].offset_dn == 0


def test_a_cut_name_tells_what_is_left() -> None:
    name = product_name(["S2B_MSIL2A_20170924T93021_41_29_B02.tif"])
    assert name is not None
    assert (name.level, name.baseline, name.evidence) == ("L2A", None, ())
    assert str(name.acquisition.acquired) == "2017-09-24 09:30:21+00:00"


def test_the_name_with_a_baseline_wins_over_the_cut_one() -> None:
    path = Path(f"/data/{FULL}.SAFE/crop/S2A_MSIL1C_20170617T113321.tif")
    name = name_of_path(path)
    assert name is not None
    assert name.baseline == "N0205"


@pytest.mark.parametrize("text", ["l1c.tif", "S1A_IW_GRDH_1SDV_20170613T165043", "", "MSIL1C"])
def test_other_names_tell_nothing(text: str) -> None:
    assert product_name([text]) is None


def test_a_tile_in_a_bucket_is_named_after_tile_and_day() -> None:
    assert bucket_tile(Path("/s/tiles/5/U/DP/2017/7/29/0")) == "T05UDP_20170729_0"
    assert bucket_tile(Path("/s/tiles/5/U/DP/2017")) is None
