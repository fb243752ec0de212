"""A scene of which nothing tells what its clouds hide is filled with a warning."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.commands.remove.run import RemoveOptions, run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import silent
from tests.factories.rasters import write_raster

SIDE = 96


def test_a_scene_of_noise_is_doubted_on_the_screen_and_in_its_tags(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise = np.random.default_rng(0).integers(1, 2500, (len(OPTICAL_BANDS), SIDE, SIDE))
    scene = write_raster(tmp_path / "s2.tif", noise.astype(np.uint16), OPTICAL_BANDS, nodata=0)
    mask = np.zeros((1, SIDE, SIDE), np.uint8)
    mask[:, 30:60, 30:60] = 1
    clouds = write_raster(tmp_path / "mask.tif", mask, ("mask",))
    given = RemoveOptions(s2=scene, mask=clouds, fill_by="scene", s2_offset=0.0)
    with caplog.at_level(logging.WARNING, "cloudfree"):
        result = run(given, silent)
    wanted = "nothing known of this scene tells what its clouds hide"
    assert [wanted in warning for warning in result.warnings] == [True]
    assert wanted in caplog.text
    with rasterio.open(result.output) as dataset:
        assert wanted in str(dataset.tags())
