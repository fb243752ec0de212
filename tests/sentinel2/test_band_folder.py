"""Folders with a file for each band."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.sentinel2.band_folder import band_folder_product
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.sentinel2_products import (
    ground,
    write_band,
    write_bigearthnet,
)

ALL = Window(0, 0, 48, 48)


def test_a_bigearthnet_patch(tmp_path: Path) -> None:
    numbers = {band: pixels for band, pixels in ground().items() if band != "B10"}
    with OpticalScene(write_bigearthnet(tmp_path, numbers)) as scene:
        assert scene.level == "L2A"
        assert scene.bands == tuple(numbers)
        assert (scene.offset.offset_dn, scene.offset.source) == (0, "statistics")
        assert str(scene.acquisition.acquired) == "2017-06-17 09:30:21+00:00"
        np.testing.assert_array_equal(scene.native(ALL)[1], numbers["B02"])


def test_l2a_in_a_bucket_lies_in_folders_by_resolution(tmp_path: Path) -> None:
    for band, resolution in (("B02", 10), ("B02", 60), ("B05", 20), ("B01", 60)):
        side = 480 // resolution
        write_band(
            tmp_path / f"R{resolution}m" / f"{band}.jp2",
            np.full((side, side), resolution, np.uint16),
        )
    with OpticalScene(tmp_path, 0.0) as scene:
        assert scene.bands == ("B01", "B02", "B05")
        assert [int(band[20, 20]) for band in scene.native(ALL)] == [60, 10, 20]


def test_folders_without_one_clear_scene_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Sentinel-2 bands in folder"):
        OpticalScene(tmp_path)
    for name in ("a_B02.tif", "b_B02.tif"):
        write_band(tmp_path / name, ground()["B02"])
    with pytest.raises(InputError, match=r"two files of band B02: a_B02\.tif and b_B02\.tif"):
        OpticalScene(tmp_path)


def test_a_single_band_is_named_by_its_file(tmp_path: Path) -> None:
    path = write_band(tmp_path / "T31TCG_20220605T105031_B08.jp2", ground()["B08"])
    with OpticalScene(path) as scene:
        assert scene.bands == ("B08",)


def test_a_real_tile_of_a_bucket(data: Path) -> None:
    path = data / "products/aws_layout/sentinel-s2-l1c/tiles/19/U/DP/2017/7/29/0"
    with OpticalScene(path) as scene:
        assert scene.bands == OPTICAL_BANDS
        assert (scene.level, scene.offset.offset_dn) == ("L1C", 0)
        assert scene.product.name == "T19UDP_20170729_0"
        with OpticalScene(path / "B11.jp2", 0.0) as band:
            whole = Window(0, 0, 122, 122)
            np.testing.assert_array_equal(scene.native(whole)[11], band.native(whole)[0])


def test_real_bigearthnet_patches(data: Path) -> None:
    patches = sorted((data / "bigearthnet_l2a" / "s2-tiny").iterdir())
    assert patches
    for patch in patches:
        with OpticalScene(patch) as scene:
            assert (scene.grid.height, scene.grid.width) == (120, 120)
            assert (scene.level, scene.offset.offset_dn) == ("L2A", 0)
            assert len(scene.bands) == 12


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["SCL.tif"], "SCL.tif"),
        (["T31TCG_SCL_60m.jp2", "T31TCG_SCL_20m.jp2"], "T31TCG_SCL_20m.jp2"),
        (["R60m/SCL.jp2", "R20m/SCL.jp2"], "R20m/SCL.jp2"),
        (["MUSCL.tif", "SCL.txt"], None),
    ],
)
def test_the_finest_scene_classification_of_a_folder(
    tmp_path: Path, files: list[str], expected: str | None
) -> None:
    write_band(tmp_path / "B02.tif", ground()["B02"])
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = band_folder_product(tmp_path).scl
    assert found == (expected and str(tmp_path / expected))
