"""Real clouds from folders of images."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import silent
from cloudfree.datasets import real_clouds
from cloudfree.datasets.real_clouds import cloud_share, read_real_clouds
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import cloudy_scene, write_raster
from tests.factories.sample_folders import field, write_patch, write_triplet


def test_pairs_of_both_kinds_of_names_give_their_clouds(tmp_path: Path) -> None:
    write_triplet(tmp_path / "own", "north", side=64)
    write_patch(tmp_path / "sen12mscr", "ROIs1158_spring_1")
    layers = read_real_clouds(tmp_path, OPTICAL_BANDS, 0.0, silent)
    assert sorted(layer.opacity.shape for layer in layers) == [(32, 32), (64, 64)]
    for layer in layers:
        middle = layer.opacity.shape[0] // 2
        assert layer.opacity[middle, middle] > 0.8
        assert not layer.opacity[:3].any()


def test_of_a_series_the_clear_dates_serve_as_ground(tmp_path: Path) -> None:
    pixels, _ = cloudy_scene(64, 64)
    noise = np.random.default_rng(1).integers(0, 40, (13, 64, 64)).astype(np.uint16)
    clear = field(64) + noise
    write_raster(tmp_path / "s2_2020-05-01.tif", pixels, OPTICAL_BANDS)
    write_raster(tmp_path / "s2_2020-05-11.tif", clear, OPTICAL_BANDS)
    write_raster(tmp_path / "s2_2020-05-21.tif", clear, OPTICAL_BANDS)
    (layer,) = read_real_clouds(tmp_path, OPTICAL_BANDS, 0.0, silent)
    assert layer.opacity[32, 32] > 0.8
    assert layer.cover == pytest.approx(np.pi / 16, abs=0.06)


def test_a_pair_that_cannot_be_read_or_lacks_bands_is_logged_and_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_triplet(tmp_path, "good", side=64)
    write_triplet(tmp_path, "broken", side=64)
    (tmp_path / "broken_s2_clear.tif").write_bytes(b"no image")
    write_raster(tmp_path / "red_s2_cloudy.tif", field(64)[3:4], ["B04"])
    write_raster(tmp_path / "red_s2_clear.tif", field(64)[3:4], ["B04"])
    with caplog.at_level(logging.WARNING, "cloudfree"):
        assert len(read_real_clouds(tmp_path, OPTICAL_BANDS, 0.0, silent)) == 1
    assert "pair broken skipped: " in caplog.text
    assert "pair red skipped: no band B02, B03, B01" in caplog.text


def test_a_folder_without_clouds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no cloud in 0 pairs in .*--cloud-donors"):
        read_real_clouds(tmp_path, OPTICAL_BANDS, None, silent)
    for kind in ("cloudy", "clear"):
        write_raster(tmp_path / f"a_s2_{kind}.tif", field(64), OPTICAL_BANDS)
    with pytest.raises(InputError, match="no cloud in 1 pairs"):
        read_real_clouds(tmp_path, OPTICAL_BANDS, 0.0, silent)


def test_of_many_pairs_some_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        write_triplet(tmp_path, f"p{number}", side=32, seed=number)
    monkeypatch.setattr(real_clouds, "MAX_PAIRS", 2)
    assert len(read_real_clouds(tmp_path, OPTICAL_BANDS, 0.0, silent)) == 2


def test_how_much_of_a_scene_is_cloud(tmp_path: Path) -> None:
    pixels, cloud = cloudy_scene(96, 96)
    path = write_raster(tmp_path / "l1c.tif", pixels, OPTICAL_BANDS)
    with OpticalScene(path, 0.0) as scene:
        assert cloud_share(scene) == pytest.approx(cloud.mean(), abs=0.03)


def test_the_real_pairs_and_the_real_series_have_clouds_to_give(data: Path) -> None:
    for folder, least in (("pairs", 12), ("timeseries", 10)):
        layers = read_real_clouds(data / folder, OPTICAL_BANDS, 0.0, silent)
        assert len(layers) >= least
        assert all(np.isfinite(layer.colour).all() for layer in layers)
