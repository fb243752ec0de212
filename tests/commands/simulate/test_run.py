from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.products import TIME_TAG
from cloudfree.commands.simulate.run import SimulateResult, run
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import MASK_COLOURS, MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import OutputError
from cloudfree.sentinel2.optical_scene import OpticalScene

SIZE = 96


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SimulateResult:
    folder = tmp_path_factory.mktemp("scenes") / "not" / "there yet"
    return run(SimulateOptions(folder, size=SIZE, seed=3), silent)


def _pixels(path: Path) -> NDArray[np.generic]:
    with rasterio.open(path) as dataset:
        pixels: NDArray[np.generic] = dataset.read()
    return pixels


def test_the_optical_scenes_are_products_of_thirteen_bands(result: SimulateResult) -> None:
    for path in (result.s2_cloudy, result.s2_clear):
        with rasterio.open(path) as dataset:
            assert dataset.descriptions == OPTICAL_BANDS
            assert set(dataset.dtypes) == {"uint16"}
            assert dataset.nodata == 0
            assert dataset.crs.to_epsg() == 32631
            assert dataset.res == (10.0, 10.0)
            assert dataset.shape == (SIZE, SIZE)
            assert dataset.tags()[TIME_TAG].startswith("2021-04-24T")
            assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_digital_numbers_are_reflectance_without_an_offset(result: SimulateResult) -> None:
    with OpticalScene(result.s2_clear) as scene:
        pixels = scene.reflectance(OPTICAL_BANDS, Window(0, 0, SIZE, SIZE))
    assert np.isfinite(pixels).all()
    assert 0.07 < np.median(pixels[1]) < 0.15
    assert np.median(pixels[10]) == pytest.approx(0.001, abs=0.0005)


def test_the_sun_stands_where_the_tag_says(result: SimulateResult) -> None:
    with OpticalScene(result.s2_cloudy) as scene:
        assert scene.sun_azimuth_deg == pytest.approx(result.sun_azimuth_deg, abs=1e-3)
    assert 90 < result.sun_azimuth_deg < 180


def test_files_of_truth_and_cloud_are_equal_where_the_mask_is_clear(result: SimulateResult) -> None:
    cloudy, truth = _pixels(result.s2_cloudy), _pixels(result.s2_clear)
    clear = _pixels(result.truth_mask)[0] == MaskClass.CLEAR
    assert clear.any()
    assert np.array_equal(cloudy[:, clear], truth[:, clear])
    assert (cloudy != truth).any(axis=0)[~clear].mean() > 0.95


def test_the_mask_has_the_grid_of_the_scene_and_the_fractions_of_the_result(
    result: SimulateResult,
) -> None:
    with OpticalScene(result.s2_cloudy) as scene, MaskFile(result.truth_mask, scene.grid) as file:
        mask = file.classes(scene.grid.window)
    assert set(np.unique(mask)) <= {MaskClass.CLEAR, MaskClass.CLOUD, MaskClass.SHADOW}
    assert result.cloud == (mask == MaskClass.CLOUD).mean() == pytest.approx(0.4, abs=0.01)
    assert result.shadow == (mask == MaskClass.SHADOW).mean()
    with rasterio.open(result.truth_mask) as dataset:
        assert dataset.colormap(1)[MaskClass.CLOUD][:3] == MASK_COLOURS[MaskClass.CLOUD]
        assert dataset.tags()["CLASS_2"] == "shadow"


def test_radar_lies_on_a_larger_grid_of_its_own(result: SimulateResult) -> None:
    with rasterio.open(result.s2_cloudy) as optical, rasterio.open(result.s1) as radar:
        assert radar.crs == optical.crs
        assert radar.descriptions == SAR_BANDS
        assert set(radar.dtypes) == {"float32"}
        assert np.isnan(radar.nodata)
        assert radar.shape == (SIZE + 65, SIZE + 65)
        corner = ~optical.transform @ (radar.transform @ (0, 0))
        assert corner == pytest.approx((-32.5, -32.5))
        assert radar.res == optical.res
        assert np.isfinite(radar.read()).all()


def test_the_same_seed_writes_the_same_pixels(result: SimulateResult, tmp_path: Path) -> None:
    again = run(SimulateOptions(tmp_path, size=SIZE, seed=3), silent)
    for name in ("s2_cloudy", "s2_clear", "s1", "truth_mask"):
        assert np.array_equal(_pixels(getattr(result, name)), _pixels(getattr(again, name))), name


def test_a_summary_names_files_and_figures(result: SimulateResult) -> None:
    text = result.summary()
    for path in (result.s2_cloudy, result.s2_clear, result.s1, result.truth_mask):
        assert str(path) in text
    assert "40.0% of the pixels lie under cloud" in text
    assert "+1.30 rows, -0.80 columns" in text


def test_a_scene_is_replaced_on_demand_only(tmp_path: Path) -> None:
    options = SimulateOptions(tmp_path, size=64)
    (tmp_path / "s1.tif").write_text("precious")
    with pytest.raises(OutputError, match=r"s1\.tif exists already; wanted .*; add --overwrite"):
        run(options, silent)
    assert [path.name for path in tmp_path.iterdir()] == ["s1.tif"]
    run(replace(options, overwrite=True), silent)
    assert _pixels(tmp_path / "s1.tif").shape == (2, 129, 129)


def test_creation_options_reach_every_file(tmp_path: Path) -> None:
    result = run(SimulateOptions(tmp_path, size=64, creation_options={"COMPRESS": "LZW"}), silent)
    for path in (result.s2_cloudy, result.s2_clear, result.s1, result.truth_mask):
        with rasterio.open(path) as dataset:
            assert dataset.compression.name == "lzw"


def test_a_wrong_creation_option_leaves_no_part_of_a_scene(tmp_path: Path) -> None:
    options = SimulateOptions(tmp_path, size=64, creation_options={"NOSUCH": "1"})
    with pytest.raises(OutputError, match=r"--co NOSUCH=1 for 13 bands of uint16 .*driver COG"):
        run(options, silent)
    assert list(tmp_path.iterdir()) == []
