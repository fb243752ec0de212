"""All files of an input are protected, and must stay unchanged until the result is written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import rasterio.shutil

from cloudfree.commands.input_files import InputFiles, files_of, protect_inputs
from cloudfree.errors import InputError, OutputError
from tests.factories.rasters import write_cloudy_scene, write_one_band, write_radar
from tests.factories.sentinel1_products import level_scene
from tests.factories.sentinel1_products import write_safe as write_grd
from tests.factories.sentinel2_products import (
    Safe,
    bands_of,
    ground,
    write_band,
    write_safe,
    write_stac,
    write_zip,
)


def _polarisations(folder: Path) -> tuple[Path, Path]:
    both = write_radar(folder / "both.tif")
    vv, vh = (write_one_band(folder / f"x_{band}.tif", both, band) for band in ("VV", "VH"))
    return vv, vh


def test_the_other_polarisation_belongs_to_a_radar_scene(tmp_path: Path) -> None:
    vv, vh = _polarisations(tmp_path)
    assert files_of(vv) == [vv, vh]
    assert files_of(vh) == [vh, vv]
    vh.unlink()
    assert files_of(vv) == [vv]


def test_side_files_and_sources_belong_to_a_raster(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "a.tif")
    (tmp_path / "a.tif.aux.xml").write_text("<PAMDataset/>")
    mosaic = tmp_path / "mosaic.vrt"
    rasterio.shutil.copy(scene, mosaic, driver="VRT")
    assert set(files_of(scene)) == {scene, tmp_path / "a.tif.aux.xml"}
    assert {mosaic, scene} <= set(files_of(mosaic))


@pytest.mark.parametrize("inside", ["", "MTD_MSIL1C.xml", "GRANULE"])
def test_all_of_a_safe_product_belongs_to_it(tmp_path: Path, inside: str) -> None:
    product = write_safe(tmp_path, Safe())
    files = {path for path in product.rglob("*") if path.is_file()}
    assert len(files) > 13
    assert set(files_of(product / inside)) == files


def test_a_zip_is_one_file_and_a_name_of_gdal_is_none(tmp_path: Path) -> None:
    packed = write_zip(tmp_path, Safe())
    assert files_of(packed) == [packed]
    assert files_of(Path(f"/vsizip/{packed}/B02.jp2")) == []
    assert files_of(tmp_path / "none.tif") == []


def test_a_sub_dataset_is_all_of_its_product(tmp_path: Path) -> None:
    product = write_safe(tmp_path, Safe())
    name = Path(f"SENTINEL2_L1C:{product}/MTD_MSIL1C.xml:10m:EPSG_32631")
    assert set(files_of(name)) == set(files_of(product))


def test_results_beside_the_bands_in_a_folder_are_no_part_of_the_scene(tmp_path: Path) -> None:
    for band in ("B02", "B03"):
        write_band(tmp_path / f"{band}.tif", ground()[band])
    result = write_cloudy_scene(tmp_path / "scene_cloudfree.tif")
    assert [path.name for path in files_of(tmp_path)] == ["B02.tif", "B03.tif"]
    protect_inputs([tmp_path], [result])
    with pytest.raises(OutputError, match=r"B03\.tif is an input"):
        protect_inputs([tmp_path], [tmp_path / "B03.tif"])


def test_the_assets_of_an_item_belong_to_it(tmp_path: Path) -> None:
    bands = bands_of("L2A")[:2]
    files = {band: str(write_band(tmp_path / f"{band}.tif", ground()[band])) for band in bands}
    item = write_stac(tmp_path / "item.json", files, {}, "L2A")
    assert set(files_of(item)) == {item, *map(Path, files.values())}


def test_polygons_are_one_file(tmp_path: Path) -> None:
    area = tmp_path / "area.geojson"
    area.write_text('{"type": "FeatureCollection", "features": []}')
    assert files_of(area) == [area]


def test_an_output_never_replaces_the_partner_of_an_input(tmp_path: Path) -> None:
    vv, vh = _polarisations(tmp_path)
    with pytest.raises(OutputError, match=r"x_VH\.tif is an input or another output"):
        protect_inputs([vv], [vh])
    protect_inputs([vv], [tmp_path / "out.tif"])


def _touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def _replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.replace(path)


def _truncate(path: Path) -> None:
    state = path.stat()
    os.truncate(path, state.st_size // 2)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("change", [_touch, _replace, _truncate, Path.unlink])
def test_an_input_that_is_not_as_it_was_is_refused(tmp_path: Path, change) -> None:
    scene = write_cloudy_scene(tmp_path / "a.tif")
    inputs = InputFiles([scene])
    inputs.require_unchanged()
    change(scene)
    with pytest.raises(InputError, match=r"a\.tif was (changed|removed) while") as refusal:
        inputs.require_unchanged()
    assert refusal.value.code == "input_changed"
    assert refusal.value.code.retry


def test_a_part_of_a_product_that_changes_is_named(tmp_path: Path) -> None:
    product = write_grd(tmp_path, level_scene(60, 60, 0.1))
    inputs = InputFiles([product])
    part = next((product / "annotation").glob("*.xml"))
    _touch(part)
    with pytest.raises(InputError, match=part.name):
        inputs.require_unchanged()


def test_statistics_that_a_viewer_writes_are_no_change(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "a.tif")
    statistics = tmp_path / "a.tif.aux.xml"
    statistics.write_text("<PAMDataset/>")
    inputs = InputFiles([scene])
    statistics.write_text("<PAMDataset></PAMDataset>")
    inputs.require_unchanged()
    _touch(scene)
    with pytest.raises(InputError, match=r"a\.tif was changed"):
        inputs.require_unchanged()


def test_an_input_has_the_state_in_which_it_was_first_added(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "a.tif")
    inputs = InputFiles([scene])
    _touch(scene)
    inputs.add(scene)
    with pytest.raises(InputError, match="was changed"):
        inputs.require_unchanged()
