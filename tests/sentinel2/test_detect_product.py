"""The same pixels through every door."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.raster.cog import CogWriter
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.sentinel2_products import (
    Safe,
    ground,
    write_band,
    write_bucket,
    write_safe,
    write_stac,
    write_zip,
)

ALL = Window(0, 0, 48, 48)
SAFE = Safe("L1C", "04.00")


def _granule(folder: Path) -> Path:
    return next((write_safe(folder, SAFE) / "GRANULE").iterdir())


def _raster(folder: Path) -> Path:
    path = folder / "stack.tif"
    with (
        OpticalScene(write_safe(folder, SAFE)) as scene,
        CogWriter(path, scene.grid, scene.profile({}, {})) as writer,
    ):
        writer.write(ALL, scene.native(ALL))
    return path


def _zip_without_its_folder(folder: Path) -> Path:
    root = write_safe(folder / "unpacked", SAFE)
    return Path(shutil.make_archive(str(folder / SAFE.name), "zip", root))


def _stac(folder: Path) -> Path:
    files = {band: f"./bands/{band}.jp2" for band in SAFE.stored}
    for band, pixels in SAFE.stored.items():
        write_band(folder / "bands" / f"{band}.jp2", pixels)
    return write_stac(folder / "item.json", files, {"s2:processing_baseline": "04.00"})


def _stac_of_zip(folder: Path) -> Path:
    path = write_zip(folder, SAFE)
    with OpticalScene(path) as scene:
        files = {file.band: file.path for file in scene.product.bands}
    assert all(file.startswith("/vsizip/") for file in files.values())
    return write_stac(folder / "item.json", files, {"s2:product_uri": f"{SAFE.name}.SAFE"})


def _bucket_with_tile_info(folder: Path) -> Path:
    path = write_bucket(folder, SAFE.stored)
    (path / "tileInfo.json").write_text(f'{{"productName": "{SAFE.name}"}}')
    return path


DOORS = {
    "folder": lambda folder: write_safe(folder, SAFE),
    "folder of the folder": lambda folder: write_safe(folder, SAFE).parent,
    "metadata file": lambda folder: write_safe(folder, SAFE) / "MTD_MSIL1C.xml",
    "granule": _granule,
    "metadata of the granule": lambda folder: _granule(folder) / "MTD_TL.xml",
    "zip": lambda folder: write_zip(folder, SAFE),
    "zip without its folder": _zip_without_its_folder,
    "STAC item": _stac,
    "STAC item of files in a zip": _stac_of_zip,
    "bucket": lambda folder: write_bucket(folder, SAFE.stored),
    "bucket with the name of the product": _bucket_with_tile_info,
    "raster": _raster,
}


@pytest.mark.parametrize("door", DOORS)
def test_every_product_format_gives_the_same_pixels(tmp_path: Path, door: str) -> None:
    with OpticalScene(write_safe(tmp_path / "reference", SAFE)) as reference:
        expected = reference.reflectance(OPTICAL_BANDS, ALL)
    with OpticalScene(DOORS[door](tmp_path / "case")) as scene:
        assert scene.bands == OPTICAL_BANDS
        assert scene.level == "L1C"
        assert scene.offset.offset_dn == -1000
        np.testing.assert_array_equal(scene.reflectance(OPTICAL_BANDS, ALL), expected)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("resolution", "bands"),
    [
        (10, ("B02", "B03", "B04", "B08")),
        (20, ("B05", "B06", "B07", "B8A", "B11", "B12")),
        (60, ("B01", "B09", "B10")),
    ],
)
def test_a_sub_dataset_has_the_bands_of_one_resolution(
    tmp_path: Path, resolution: int, bands: tuple[str, ...], packed: bool
) -> None:
    if packed:
        file = f"/vsizip/{write_zip(tmp_path, SAFE)}/{SAFE.name}.SAFE/MTD_MSIL1C.xml"
    else:
        file = str(write_safe(tmp_path, SAFE) / "MTD_MSIL1C.xml")
    side = 480 // resolution
    with OpticalScene(Path(f"SENTINEL2_L1C:{file}:{resolution}m:EPSG_32631")) as scene:
        assert scene.bands == bands
        native = scene.native(Window(0, 0, side, side))
    np.testing.assert_array_equal(native, np.stack([SAFE.stored[band] for band in bands]))


def test_the_picture_of_a_product_is_refused(tmp_path: Path) -> None:
    file = write_safe(tmp_path, SAFE) / "MTD_MSIL1C.xml"
    with pytest.raises(InputError, match=r"sub-dataset .*TCI.*; wanted one of 10, 20 or 60 m"):
        OpticalScene(Path(f"SENTINEL2_L1C:{file}:TCI:EPSG_32631"))


def test_a_zip_that_is_none_or_holds_no_product_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"a\.zip cannot be opened .*; wanted a zip archive"):
        OpticalScene(path)
    write_band(tmp_path / "bands" / "B02.tif", ground()["B02"])
    other = Path(shutil.make_archive(str(tmp_path / "other"), "zip", tmp_path / "bands"))
    with pytest.raises(InputError, match=r"no MTD_MSIL1C\.xml or MTD_MSIL2A\.xml in other\.zip"):
        OpticalScene(other)
