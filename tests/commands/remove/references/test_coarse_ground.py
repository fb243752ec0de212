"""Clouds of a scene and the ground of another date in coarse pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references import coarse_ground as module
from cloudfree.commands.remove.references.coarse_ground import clear_on, coarse_ground
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import TEN_METRES, write_raster

BANDS = ("B02", "B03", "B04", "B08")
Opener = Callable[..., CloudyScene]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Opens a scene with these mask classes."""
    with ExitStack() as stack:

        def opener(classes: np.ndarray, transform: Affine = TEN_METRES) -> CloudyScene:
            name = f"{len(list(tmp_path.iterdir()))}"
            numbers = np.full((4, *classes.shape), 1500, np.uint16)
            scene = write_raster(tmp_path / f"{name}.tif", numbers, BANDS, transform=transform)
            mask = write_raster(
                tmp_path / f"{name}_mask.tif", classes[None].astype(np.uint8), ["mask"],
                transform=transform, nodata=255,
            )  # fmt: skip
            optical = stack.enter_context(OpticalScene(scene, 0.0))
            return CloudyScene(optical, stack.enter_context(MaskFile(mask, optical.grid)))

        yield opener


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four by four pixels become one."""
    monkeypatch.setattr(module, "LOOK_PX", 10)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 3)


def test_a_small_scene_is_looked_at_as_it_is(opened: Opener) -> None:
    classes = np.zeros((30, 40))
    classes[:10, :20], classes[20:, 30:], classes[12, 12] = 1, 255, 2
    scene = opened(classes)
    ground = coarse_ground(scene)
    assert ground.grid == scene.optical.grid
    np.testing.assert_array_equal(ground.hidden, np.isin(classes, (1, 2)))
    np.testing.assert_array_equal(ground.valid, classes != 255)
    clear = clear_on(ground.grid, scene, scene.optical.grid)
    np.testing.assert_array_equal(clear, classes == 0)


@pytest.mark.usefixtures("coarse")
def test_a_small_cloud_is_a_small_share_of_a_coarse_pixel(opened: Opener) -> None:
    classes = np.zeros((38, 40))
    classes[5, 9] = 1
    classes[36:, 36:] = 1
    ground = coarse_ground(opened(classes))
    assert ground.hidden.shape == (10, 10)
    assert ground.hidden[1, 2] == 1 / 16 and ground.hidden[-1, -1] == 0.5
    assert ground.hidden.sum() * 16 == 9 and ground.valid.sum() * 16 == 38 * 40
    assert ground.grid.transform.a == 40


@pytest.mark.usefixtures("coarse")
def test_another_date_is_looked_at_on_the_coarse_grid_wherever_it_lies(opened: Opener) -> None:
    today = opened(np.ones((40, 40)))
    classes = np.zeros((60, 60))
    classes[:, 30:] = 1
    other = opened(classes, TEN_METRES @ Affine.translation(-10, -20))
    clear = clear_on(coarse_ground(today).grid, other, other.optical.grid)
    np.testing.assert_array_equal(clear[5], [True] * 5 + [False] * 5)
    away = opened(classes, TEN_METRES @ Affine.translation(-1000, 0))
    assert not clear_on(coarse_ground(today).grid, away, away.optical.grid).any()


def test_shares_are_of_the_ground_and_of_what_is_hidden(opened: Opener) -> None:
    classes = np.zeros((10, 10))
    classes[:2], classes[8:] = 1, 255
    ground = coarse_ground(opened(classes))
    clear = np.zeros((10, 10), bool)
    clear[:, :5] = True
    assert (ground.clear_share(clear), ground.fills_share(clear)) == (0.5, 0.5)
    assert coarse_ground(opened(np.zeros((10, 10)))).fills_share(clear) == 0


def test_without_a_mask_all_is_hidden(opened: Opener) -> None:
    scene = opened(np.zeros((10, 10)))
    ground = coarse_ground(CloudyScene(scene.optical, None))
    assert ground.hidden.all() and ground.valid.all()
