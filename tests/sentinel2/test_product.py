"""What a Sentinel-2 product is, what its name says, and how outputs are named after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.sentinel2.product import bucket_tile, name_of_path, output_beside, product_name

FULL = "S2A_MSIL1C_20170617T113321_N0205_R080_T29UPU_20170617T113319"


def test_a_name_has_platform_level_time_baseline_and_orbit() -> None:
    name = product_name([f"{FULL}.SAFE"])
    assert name is not None
    assert (name.text, name.level, name.baseline) == (FULL, "L1C", "N0205")
    assert name.acquisition.platform == "Sentinel-2A"
    assert name.acquisition.relative_orbit == 80
    assert str(name.acquisition.acquired) == "2017-06-17 11:33:21+00:00"
    assert name.evidence[0].offset_dn == 0


def test_a_shortened_name_is_read_in_part() -> None:
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
def test_other_names_say_nothing(text: str) -> None:
    assert product_name([text]) is None


def test_a_tile_in_a_bucket_is_named_after_tile_and_day() -> None:
    assert bucket_tile(Path("/s/tiles/5/U/DP/2017/7/29/0")) == "T05UDP_20170729_0"
    assert bucket_tile(Path("/s/tiles/5/U/DP/2017")) is None


NAME = "S2A_MSIL1C_20170617T113321_N0205_R080_T29UPU_20170617T113319"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("/data/l1c.tif", "/data/l1c_mask.tif"),
        ("/data/a.b.tif", "/data/a.b_mask.tif"),
        (f"/data/{NAME}.SAFE", f"/data/{NAME}_mask.tif"),
        (f"/data/{NAME}.SAFE/MTD_MSIL1C.xml", f"/data/{NAME}_mask.tif"),
        (f"/data/{NAME}.SAFE/GRANULE/L1C_T29UPU", f"/data/{NAME}_mask.tif"),
        (f"/data/{NAME}.SAFE/GRANULE/L1C_T29UPU/MTD_TL.xml", f"/data/{NAME}_mask.tif"),
        (f"/data/{NAME}.zip", f"/data/{NAME}_mask.tif"),
        (f"/data/{NAME}.SAFE.zip", f"/data/{NAME}_mask.tif"),
        (f"SENTINEL2_L1C:/data/{NAME}.SAFE/MTD_MSIL1C.xml:10m:EPSG_32629",
         f"/data/{NAME}_mask.tif"),
        (f"SENTINEL2_L1C:/vsizip//data/{NAME}.zip/{NAME}.SAFE/MTD_MSIL1C.xml:20m:EPSG_32629",
         f"/data/{NAME}_mask.tif"),
        ("/data/item.json", "/data/item_mask.tif"),
        ("/data/items.json#S2B_1.5", "/data/S2B_1.5_mask.tif"),
        ("https://host/collections/c/items/S2B_1", "S2B_1_mask.tif"),
        ("https://host/S2B_1.tif?sig=a/b.c", "S2B_1_mask.tif"),
        ("s3://bucket/l1c.tif", "l1c_mask.tif"),
        ("/vsis3/bucket/l1c.tif", "/vsis3/bucket/l1c_mask.tif"),
        ("/tiles/9/U/DP/2017/7/29/0", "/tiles/9/U/DP/2017/7/29/T09UDP_20170729_0_mask.tif"),
    ],
)  # fmt: skip
def test_an_output_is_next_to_its_input_and_named_after_it(given: str, made: str) -> None:
    assert output_beside(Path(given), "mask.tif") == Path(made)


def test_a_folder_keeps_its_dots(tmp_path: Path) -> None:
    folder = tmp_path / "patch.v2"
    folder.mkdir()
    assert output_beside(folder, "mask.tif") == tmp_path / "patch.v2_mask.tif"


def test_the_folder_one_stands_in_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert output_beside(Path(), "mask.tif") == tmp_path.parent / f"{tmp_path.name}_mask.tif"
