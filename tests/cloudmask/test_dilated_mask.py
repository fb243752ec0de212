"""A mask made from one without dilation is the one that is dilated at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.cloudmask.dilated_mask import UNDILATED, write_dilated
from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.mask_plan import plan_mask, write_mask
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import DetectorName, MaskSettings
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.cloudy_scenes import cloudy_scene
from tests.factories.rasters import write_raster


@pytest.fixture
def scene(tmp_path: Path):
    """A scene higher than a strip, of clouds and shadows."""
    pixels, *_ = cloudy_scene(size=128, distance_m=400.0, clouds=6, seed=3)
    tall = np.concatenate([pixels] * 5, axis=1)
    numbers = np.clip(np.rint(tall * 10_000), 1, 65535).astype(np.uint16)
    with OpticalScene(write_raster(tmp_path / "l1c.tif", numbers, OPTICAL_BANDS), 0.0) as optical:
        yield optical


def _written(scene: OpticalScene, path: Path, detector: DetectorName, dilation: str) -> Path:
    settings = MaskSettings(detector=detector, dilate=dilation)
    write_mask(scene, path, plan_mask(scene, settings, silent), silent, {})
    return path


@pytest.mark.parametrize("detector", ["default", "published"])
def test_it_is_the_mask_that_is_dilated_at_once(
    tmp_path: Path, scene: OpticalScene, detector: DetectorName
) -> None:
    plain = _written(scene, tmp_path / "plain.tif", detector, UNDILATED)
    at_once = _written(scene, tmp_path / "at_once.tif", detector, "70m")
    with MaskFile(plain, scene.grid) as mask:
        write_dilated(mask, tmp_path / "later.tif", "70m", {"MASK_REFERENCES": "2"})
    with (
        MaskFile(at_once, scene.grid) as expected,
        MaskFile(tmp_path / "later.tif", scene.grid) as later,
    ):
        whole = scene.grid.window
        np.testing.assert_array_equal(later.classes(whole), expected.classes(whole))
        assert later.made_by == {**expected.made_by, "MASK_REFERENCES": "2"}
        assert later.made_by["MASK_DILATE"] == "70m"


def test_classes_are_decided_with_rows_around_them(tmp_path: Path, scene: OpticalScene) -> None:
    """The class of a row is that of the one 40 rows above it, whatever the strips are."""
    plain = _written(scene, tmp_path / "plain.tif", "default", UNDILATED)
    with MaskFile(plain, scene.grid) as mask:
        path, halo = tmp_path / "moved.tif", 40
        moved = {"decide": lambda rows: np.roll(rows, halo, axis=0), "halo_px": halo}
        write_dilated(mask, path, UNDILATED, {}, **moved)
        before = mask.classes(scene.grid.window)
    with MaskFile(path, scene.grid) as mask:
        after = mask.classes(scene.grid.window)
    np.testing.assert_array_equal(after[halo:], before[:-halo])
    assert (before == MaskClass.CLOUD).any()


def test_a_dilation_that_is_no_distance_is_refused(tmp_path: Path, scene: OpticalScene) -> None:
    plain = _written(scene, tmp_path / "plain.tif", "default", UNDILATED)
    with MaskFile(plain, scene.grid) as mask, pytest.raises(InputError, match="a distance of 'x'"):
        write_dilated(mask, tmp_path / "no.tif", "x", {})
    assert not (tmp_path / "no.tif").exists()
