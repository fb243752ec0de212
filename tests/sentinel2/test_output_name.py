from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.sentinel2.output_name import output_beside

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
        ("/tiles/9/U/DP/2017/7/29/0", "/tiles/9/U/DP/2017/7/29/T09UDP_20170729_0_mask.tif"),
    ],
)  # fmt: skip
def test_an_output_is_named_after_its_input_and_beside_it(given: str, made: str) -> None:
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
