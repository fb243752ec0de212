"""A detector sees every row once, with the rows around it, and gives the classes of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask import detection
from cloudfree.cloudmask.detected_classes import DetectedClassifier
from cloudfree.cloudmask.detection import detect
from cloudfree.cloudmask.patch_check import PatchCheck
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from tests.factories.array_scene import ArrayScene, scene_with
from tests.factories.detectors import BrightDetector

TEN_METRE_AXES = PixelAxes((-0.1, 0.0), (0.0, 0.1))
CLOUD, SHADOW = np.s_[60:80, 40:60], np.s_[100:120, 40:60]


class CountingScene(ArrayScene):
    """Counts how often each row is read."""

    def __init__(self, pixels: Float32) -> None:
        super().__init__(pixels)
        self.read = np.zeros(pixels.shape[1], dtype=int)

    def reflectance(self, bands: tuple[str, ...], window: Window) -> Float32:
        self.read[window.row : window.row_stop] += 1
        return super().reflectance(bands, window)


def _classes(scene: ArrayScene, detector: BrightDetector) -> Mask:
    return np.concatenate([rows for _, rows in detect(scene, detector, 0.5, silent)])


@pytest.mark.parametrize("rows", [8, 64, 448])
def test_strips_of_any_height_give_the_same_mask(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    projection = ShadowProjection.away_from_sun(0.0, TEN_METRE_AXES, (300.0, 500.0))
    classifier = DetectedClassifier(BrightDetector(), 0.5, projection, dilation_px=4.0)
    scene = scene_with(CLOUD, SHADOW)
    whole = _shown(classifier, scene)
    monkeypatch.setattr(detection, "READ_ROWS", rows)
    np.testing.assert_array_equal(_shown(classifier, scene), whole)


def _shown(classifier: DetectedClassifier, scene: ArrayScene) -> Mask:
    return np.concatenate([rows for _, rows in classifier.strips(scene)])


def test_every_row_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "READ_ROWS", 16)
    scene = CountingScene(np.full((5, 200, 96), 0.2, np.float32))
    _classes(scene, BrightDetector(halo_px=24))
    assert (scene.read == 1).all()


@given(rows=st.integers(1, 50), halo=st.integers(0, 40), cell_px=st.sampled_from([1, 2, 3]))
def test_strips_cells_and_halos_of_any_size_give_a_class_to_every_pixel(
    rows: int, halo: int, cell_px: int
) -> None:
    scene = scene_with(CLOUD, SHADOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detection, "READ_ROWS", rows * cell_px)
        mask = _classes(scene, BrightDetector(cell_px=cell_px, halo_px=halo))
    assert mask.shape == (200, 96)
    assert (mask[62:78, 42:58] == MaskClass.CLOUD).all()
    assert (mask[102:118, 42:58] == MaskClass.SHADOW).all()
    assert (mask[:50] == MaskClass.CLEAR).all()


def test_patches_are_counted_alike_whatever_the_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(rows: int) -> tuple[int, int]:
        monkeypatch.setattr(detection, "READ_ROWS", rows)
        scene = scene_with(CLOUD, SHADOW)
        check = PatchCheck.for_grid(scene.grid)
        list(detect(scene, BrightDetector(), 0.5, silent, check=check))
        check.warnings()
        return check.cloud_px, check.patches_px

    assert counted(16) == counted(400) == (100, 0)
