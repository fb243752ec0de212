"""The plan of a mask, and the file that it describes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import rasterio

from cloudfree.cloudmask.classifier import Classifier
from cloudfree.cloudmask.detected_classes import DetectedClassifier
from cloudfree.cloudmask.mask_plan import THIN_CLOUD_REACH_M, make_detector, plan_mask, write_mask
from cloudfree.cloudmask.sun_geometry import NO_SUN, sun_from_tags
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import DetectorName, MaskSettings
from cloudfree.core.mask_classes import FILE_CLASSES
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.detectors import BrightDetector
from tests.factories.rasters import cloudy_scene, write_raster


def _scene(path: Path, **tags: str) -> OpticalScene:
    return OpticalScene(write_raster(path, cloudy_scene(64, 64)[0], OPTICAL_BANDS, **tags))


def test_without_shadows_no_sun_is_looked_for(tmp_path: Path) -> None:
    with _scene(tmp_path / "l1c.tif", MEAN_SUN_AZIMUTH_ANGLE="120") as scene:
        plan = plan_mask(scene, MaskSettings(shadow=False), silent)
    assert plan.sun == NO_SUN
    assert isinstance(plan.classifier, DetectedClassifier)
    assert plan.classifier.projection is None


def test_a_known_sun_is_that_of_the_plan(tmp_path: Path) -> None:
    with _scene(tmp_path / "l1c.tif", MEAN_SUN_AZIMUTH_ANGLE="120") as scene:
        plan = plan_mask(scene, MaskSettings(), silent)
    assert (plan.sun.azimuth_deg, plan.sun.origin) == (120.0, "metadata")
    assert isinstance(plan.classifier, DetectedClassifier)
    assert plan.classifier.projection is not None


@pytest.mark.parametrize("detector", ["default", "published"])
def test_a_sun_that_the_user_states_is_not_called_that_of_the_metadata(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, detector: DetectorName
) -> None:
    path = tmp_path / "mask.tif"
    with _scene(tmp_path / "l1c.tif") as scene, caplog.at_level(logging.INFO, "cloudfree"):
        scene.state(sun_azimuth_deg=150.0)
        plan = plan_mask(scene, MaskSettings(detector=detector), silent)
        write_mask(scene, path, plan, silent, {})
    assert "sun at 150 degrees clockwise from north (stated by --sun-azimuth)" in caplog.text
    with rasterio.open(path) as written:
        assert sun_from_tags(written.tags()) == plan.sun
    assert plan.sun.origin == "stated"


def test_lengths_in_metres_become_pixels(tmp_path: Path) -> None:
    with _scene(tmp_path / "l1c.tif") as scene:
        settings = MaskSettings(detector="published", shadow=False, sensitive=True, dilate="40m")
        classifier = plan_mask(scene, settings, silent).classifier
    assert isinstance(classifier, Classifier)
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
    assert tags["MASK_DETECTOR"] == "default"
    assert tags["MASK_THRESHOLD"] == "0.4"
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


def test_the_published_detector_says_how_it_was_set(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    with _scene(tmp_path / "l1c.tif") as scene:
        plan = plan_mask(scene, MaskSettings(detector="published"), silent)
        write_mask(scene, path, plan, silent, {})
    with rasterio.open(path) as written:
        tags = written.tags()
    assert (tags["MASK_DETECTOR"], tags["MASK_THRESHOLD"]) == ("published", "0.2")
    assert (tags["MASK_THOROUGH"], tags["MASK_NDSI"]) == ("yes", "0.6")


def test_a_detector_of_ones_own_takes_the_place_of_the_named_one(tmp_path: Path) -> None:
    detector = BrightDetector()
    with _scene(tmp_path / "l1c.tif") as scene:
        plan = plan_mask(scene, MaskSettings(detector="published"), silent, detector)
    assert isinstance(plan.classifier, DetectedClassifier)
    assert plan.classifier.detector is detector
    assert detector.windows == 1


def test_bands_that_are_missing_are_named_before_a_pixel_is_read(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "rgb.tif", cloudy_scene(64, 64)[0][1:4], ["B02", "B03", "B04"])
    with OpticalScene(path) as scene, pytest.raises(InputError, match="no band B08"):
        plan_mask(scene, MaskSettings(), silent)


@pytest.mark.parametrize("name", get_args(DetectorName))
def test_every_name_has_a_detector(name: DetectorName) -> None:
    if name != "published":
        assert make_detector(name).name == name


@pytest.mark.parametrize(("pixel_m", "warned"), [(10, False), (20, False), (160, True)])
def test_pixels_coarser_than_those_of_the_training_are_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, pixel_m: int, warned: bool
) -> None:
    transform = rasterio.Affine(pixel_m, 0, 0, 0, -pixel_m, 0)
    pixels = cloudy_scene(64, 64)[0]
    path = write_raster(tmp_path / "l1c.tif", pixels, OPTICAL_BANDS, transform=transform)
    with OpticalScene(path) as scene:
        plan_mask(scene, MaskSettings(shadow=False), silent)
    assert ("--detector published" in caplog.text) == warned
