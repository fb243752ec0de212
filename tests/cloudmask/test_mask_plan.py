"""The plan of a mask, and the file that it describes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.cloudmask.mask_plan import THIN_CLOUD_REACH_M, plan_mask, write_mask
from cloudfree.cloudmask.sun_geometry import NO_SUN
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import MaskSettings
from cloudfree.core.mask_classes import FILE_CLASSES
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import cloudy_scene, write_raster


def _scene(path: Path, **tags: str) -> OpticalScene:
    return OpticalScene(write_raster(path, cloudy_scene(64, 64)[0], OPTICAL_BANDS, **tags))


def test_without_shadows_no_sun_is_looked_for(tmp_path: Path) -> None:
    with _scene(tmp_path / "l1c.tif", MEAN_SUN_AZIMUTH_ANGLE="120") as scene:
        plan = plan_mask(scene, MaskSettings(shadow=False), silent)
    assert plan.sun == NO_SUN
    assert plan.classifier.shadows is None


def test_a_known_sun_is_that_of_the_plan(tmp_path: Path) -> None:
    with _scene(tmp_path / "l1c.tif", MEAN_SUN_AZIMUTH_ANGLE="120") as scene:
        plan = plan_mask(scene, MaskSettings(), silent)
    assert (plan.sun.azimuth_deg, plan.sun.origin) == (120.0, "metadata")
    assert plan.classifier.shadows is not None


def test_lengths_in_metres_become_pixels(tmp_path: Path) -> None:
    with _scene(tmp_path / "l1c.tif") as scene:
        settings = MaskSettings(shadow=False, sensitive=True, dilate="40m")
        classifier = plan_mask(scene, settings, silent).classifier
    assert classifier.dilation_px == pytest.approx(4.0, rel=0.01)
    assert classifier.thin_cloud_reach_px == pytest.approx(THIN_CLOUD_REACH_M / 10, rel=0.01)


def test_counts_and_tags_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    with _scene(tmp_path / "l1c.tif") as scene:
        plan = plan_mask(scene, MaskSettings(), silent)
        counts = write_mask(scene, path, plan, silent, {})
    with rasterio.open(path) as written:
        values, tags = written.read(1), written.tags()
    np.testing.assert_array_equal(counts, np.bincount(values.ravel(), minlength=256))
    assert set(np.unique(values)) <= {value.value for value in FILE_CLASSES}
    assert tags["MASK_THOROUGH"] == "yes"
    assert {tag for tag in tags if tag.startswith("CLASS_")} == {
        f"CLASS_{value.value}" for value in FILE_CLASSES
    }


def test_a_scene_without_a_valid_pixel_leaves_no_file(tmp_path: Path) -> None:
    numbers = np.zeros((13, 16, 16), np.uint16)
    path = write_raster(tmp_path / "l1c.tif", numbers, OPTICAL_BANDS, nodata=0)
    with OpticalScene(path) as scene:
        plan = plan_mask(scene, MaskSettings(shadow=False), silent)
        with pytest.raises(InputError, match="no valid pixel"):
            write_mask(scene, tmp_path / "mask.tif", plan, silent, {})
    assert not (tmp_path / "mask.tif").exists()
