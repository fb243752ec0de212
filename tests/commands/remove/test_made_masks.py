"""A mask is made once for each scene and each way of making it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from cloudfree.cloudmask.mask_plan import plan_mask, write_mask
from cloudfree.commands.remove import made_masks as module
from cloudfree.commands.remove.made_masks import MadeMasks, made_masks
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import MaskSettings
from cloudfree.core.grid import Window
from cloudfree.core.terminal import silent
from cloudfree.raster.area import SceneArea
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.cloudy_scenes import cloudy_scene
from tests.factories.patience import PATIENCE_S
from tests.factories.rasters import write_raster

SETTINGS = MaskSettings()


@pytest.fixture
def scene(tmp_path: Path):
    """A scene of clouds and shadows."""
    pixels, *_ = cloudy_scene(size=128, distance_m=400.0, clouds=6, seed=3)
    numbers = np.clip(np.rint(pixels * 10_000), 1, 65535).astype(np.uint16)
    with OpticalScene(write_raster(tmp_path / "l1c.tif", numbers, OPTICAL_BANDS), 0.0) as optical:
        yield optical


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are written."""
    written: list[Path] = []

    def counted(scene, path, *more):
        written.append(path)
        return write_mask(scene, path, *more)

    monkeypatch.setattr(module, "write_mask", counted)
    return written


def test_the_second_time_the_mask_is_there(
    tmp_path: Path, scene: OpticalScene, made: list[Path]
) -> None:
    masks = MadeMasks(tmp_path)
    with masks.open(scene, SETTINGS, silent) as first, masks.open(scene, SETTINGS, silent) as again:
        assert np.array_equal(first.classes(scene.grid.window), again.classes(scene.grid.window))
        assert first.sun == again.sun
    assert len(made) == 1


def test_the_sun_is_that_of_the_plan(tmp_path: Path, scene: OpticalScene) -> None:
    with MadeMasks(tmp_path).open(scene, SETTINGS, silent) as mask:
        planned = plan_mask(scene, SETTINGS, silent).sun
        assert mask.sun is not None
        assert mask.sun.azimuth_deg == pytest.approx(planned.azimuth_deg, abs=0.1)


def test_another_sun_makes_another_mask(
    tmp_path: Path, scene: OpticalScene, made: list[Path]
) -> None:
    with OpticalScene(scene.path, 0.0) as same:
        same.state(sun_azimuth_deg=10.0)
        for one in (scene, same):
            MadeMasks(tmp_path).open(one, SETTINGS, silent).close()
    assert len(set(made)) == 2


def test_other_settings_make_another_mask(
    tmp_path: Path, scene: OpticalScene, made: list[Path]
) -> None:
    masks = MadeMasks(tmp_path)
    for settings in (SETTINGS, replace(SETTINGS, dilate="0")):
        masks.open(scene, settings, silent).close()
    assert len(set(made)) == 2


def test_of_one_that_is_not_dilated_others_are_made(
    tmp_path: Path, scene: OpticalScene, made: list[Path]
) -> None:
    plain = replace(SETTINGS, dilate="0")
    (tmp_path / "direct").mkdir()
    with MadeMasks(tmp_path / "direct").open(scene, SETTINGS, silent) as mask:
        expected, sun = mask.classes(scene.grid.window), mask.sun
    for undilated_too in (False, True):
        folder = tmp_path / str(undilated_too)
        folder.mkdir()
        made.clear()
        masks = MadeMasks(folder, undilated_too)
        if not undilated_too:
            masks.open(scene, plain, silent).close()
        with masks.open(scene, SETTINGS, silent) as mask:
            assert np.array_equal(mask.classes(scene.grid.window), expected)
            assert mask.sun == sun
        masks.open(scene, plain, silent).close()
        assert len(made) == 1


def test_who_needs_a_mask_that_is_being_made_waits_for_it(
    tmp_path: Path, scene: OpticalScene, made: list[Path]
) -> None:
    masks, opened = MadeMasks(tmp_path), []
    masks.open(scene, SETTINGS, silent).close()
    (mask,) = made
    whole = mask.rename(tmp_path / "being made")
    second = threading.Thread(
        target=lambda: opened.append(masks.open(scene, SETTINGS, silent).close())
    )
    with FileLock(mask.with_suffix(".lock")):
        second.start()
        second.join(0.3)
        assert second.is_alive()
        whole.rename(mask)
    second.join(PATIENCE_S)
    assert len(opened) == len(made) == 1


@pytest.mark.parametrize("error", [OSError("no locks available"), NotImplementedError("flock")])
def test_a_disk_without_locks_has_masks_too(
    tmp_path: Path,
    scene: OpticalScene,
    made: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def acquire(_: FileLock) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", acquire)
    MadeMasks(tmp_path).open(scene, SETTINGS, silent).close()
    assert made[0].exists()


def test_without_a_folder_masks_are_gone_with_the_block(
    scene: OpticalScene, made: list[Path]
) -> None:
    with made_masks() as masks, masks.open(scene, SETTINGS, silent):
        assert made[0].exists()
    assert not made[0].exists()


def test_a_part_of_a_scene_has_a_mask_of_its_own(
    tmp_path: Path, scene: OpticalScene, made: list[Path]
) -> None:
    masks = MadeMasks(tmp_path)
    part = scene.grid.crop(Window(10, 20, 64, 80))
    with OpticalScene(scene.path, 0.0, area=SceneArea(part)) as cut:
        for one in (scene, cut, scene, cut):
            with masks.open(one, SETTINGS, silent) as mask:
                assert mask.classes(one.grid.window).shape == (one.grid.height, one.grid.width)
    assert len(made) == 2
