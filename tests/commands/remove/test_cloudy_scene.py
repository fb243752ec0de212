"""What of a scene is to be filled, and how opaque the filling is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.core.grid import Window, strips
from cloudfree.inference.compositing import FEATHER_PX
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import write_raster

SIDE = 40
BANDS = ("B02", "B03", "B04", "B08")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[CloudyScene]:
    """Ground whose upper left quarter is cloud, with a shadow in a corner and snow in another."""
    numbers = np.full((4, SIDE, SIDE), 1500, np.uint16)
    mask = np.zeros((1, SIDE, SIDE), np.uint8)
    mask[:, :20, :20] = 1
    mask[:, 35:, 35:] = 2
    mask[:, 35:, :5] = 3
    with (
        OpticalScene(write_raster(tmp_path / "s2.tif", numbers, BANDS), 0.0) as optical,
        MaskFile(write_raster(tmp_path / "m.tif", mask, ["mask"]), optical.grid) as file,
    ):
        yield CloudyScene(optical, file)


def test_clouds_and_shadows_are_to_fill_and_snow_is_not(scene: CloudyScene) -> None:
    to_fill = scene.to_fill(scene.optical.grid.window)
    assert to_fill[:20, :20].all() and to_fill[35:, 35:].all()
    assert int(to_fill.sum()) == 20 * 20 + 5 * 5


def test_without_a_mask_all_is_to_fill(scene: CloudyScene) -> None:
    unmasked = CloudyScene(scene.optical, None)
    window = Window(3, 4, 5, 6)
    assert unmasked.to_fill(window).all() and (unmasked.opacity(window) == 1).all()


def test_the_edge_is_soft_and_inside_the_cloud(scene: CloudyScene) -> None:
    opacity = scene.opacity(scene.optical.grid.window)
    assert not opacity[:, 20:35].any()
    assert (opacity[: 20 - FEATHER_PX, : 20 - FEATHER_PX] == 1).all()
    assert (opacity[5, 19] > 0) and (opacity[5, 19] < opacity[5, 18] < 1)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_strips_are_the_rows_of_the_whole(scene: CloudyScene, rows: int) -> None:
    whole = scene.original(scene.optical.grid.window)
    parts = [scene.original(strip) for strip in strips(SIDE, SIDE, rows)]
    assert np.array_equal(np.concatenate([one.opacity for one in parts]), whole.opacity)
    assert np.array_equal(np.concatenate([one.native for one in parts], axis=1), whole.native)


def test_clear_ground_is_what_no_cloud_and_no_shadow_hides(scene: CloudyScene) -> None:
    window = scene.optical.grid.window
    clear = scene.clear(("B08", "B02"), window)
    assert clear.shape == (2, SIDE, SIDE)
    assert np.array_equal(np.isnan(clear[0]), scene.to_fill(window))
    assert np.isnan(CloudyScene(scene.optical, None).clear(("B02",), window)).all()
