"""The classes that a detector finds in a scene: the same whatever the strips are."""

from __future__ import annotations

import numpy as np

from cloudfree.cloudmask.detected_classes import DetectedClassifier, FirstLook
from cloudfree.cloudmask.detection import detect
from cloudfree.cloudmask.shadow import PixelAxes, ShadowProjection
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.terminal import silent
from tests.factories.array_scene import ArrayScene, scene_with
from tests.factories.detectors import BrightDetector, FaintDetector

TEN_METRE_AXES = PixelAxes((-0.1, 0.0), (0.0, 0.1))


CLOUD, SHADOW = np.s_[60:80, 40:60], np.s_[100:120, 40:60]


def _mask(classifier: DetectedClassifier, scene: ArrayScene) -> Mask:
    return np.concatenate([rows for _, rows in classifier.strips(scene)])


def test_a_shadow_is_kept_where_a_cloud_can_throw_it() -> None:
    scene = scene_with(CLOUD, SHADOW)
    from_south = ShadowProjection.away_from_sun(0.0, TEN_METRE_AXES, (300.0, 500.0))
    from_north = ShadowProjection.away_from_sun(180.0, TEN_METRE_AXES, (300.0, 500.0))
    kept = _mask(DetectedClassifier(BrightDetector(), 0.5, from_south), scene)
    lost = _mask(DetectedClassifier(BrightDetector(), 0.5, from_north), scene)
    assert (kept[SHADOW] == MaskClass.SHADOW).all()
    assert (lost[SHADOW] == MaskClass.CLEAR).all()
    assert (kept[CLOUD] == MaskClass.CLOUD).all()


def test_without_a_projection_there_is_no_shadow() -> None:
    mask = _mask(DetectedClassifier(BrightDetector(), 0.5), scene_with(CLOUD, SHADOW))
    assert set(np.unique(mask)) == {MaskClass.CLEAR, MaskClass.CLOUD}


def test_what_was_looked_at_is_not_looked_at_again() -> None:
    scene, detector = scene_with(CLOUD, SHADOW), BrightDetector()
    look = FirstLook.at(scene, detect(scene, detector, 0.5, silent))
    seen = detector.windows
    cached = DetectedClassifier(detector, 0.5, ShadowProjection(), cached=look.classes)
    np.testing.assert_array_equal(
        _mask(cached, scene), _mask(DetectedClassifier(detector, 0.5, ShadowProjection()), scene)
    )
    assert detector.windows == seen + 1


def test_a_pixel_that_lacks_a_band_has_no_data() -> None:
    scene = scene_with(CLOUD, SHADOW)
    scene.pixels[3, 5, 7] = np.nan
    mask = _mask(DetectedClassifier(BrightDetector(), 0.5), scene)
    assert mask[5, 7] == MaskClass.NODATA
    assert (mask == MaskClass.NODATA).sum() == 1
    assert (
        FirstLook.at(scene, detect(scene, BrightDetector(), 0.5, silent)).valid_px == 200 * 96 - 1
    )


def test_the_score_is_the_probability_of_cloud() -> None:
    scene, scores = scene_with(CLOUD, SHADOW), {}
    list(DetectedClassifier(BrightDetector(), 0.5).strips(scene, silent, scores.__setitem__))
    score = np.concatenate(list(scores.values()))
    assert (score[CLOUD] == 1.0).all()
    assert score.sum() == 20 * 20


def test_the_sun_is_fitted_to_the_shadows_that_were_found() -> None:
    rng = np.random.default_rng(1)
    pixels = np.full((5, 400, 400), 0.2, np.float32)
    for row, col in rng.integers(20, 340, (25, 2)):
        pixels[:, row + 30 : row + 40, col : col + 10] = 0.05
    for row, col in np.random.default_rng(1).integers(20, 340, (25, 2)):
        pixels[:, row : row + 10, col : col + 10] = 0.8
    scene = ArrayScene(pixels)
    look = FirstLook.at(scene, detect(scene, BrightDetector(), 0.5, silent))
    fit = look.sun(TEN_METRE_AXES, None)
    assert fit is not None
    assert fit.azimuth_deg in (0.0, 355.0, 5.0)
    distance = look.shadow_distance(TEN_METRE_AXES, fit.azimuth_deg)
    assert distance is not None
    assert distance.likeliest[0] <= 300.0 <= distance.likeliest[1]


def test_what_may_be_shadow_is_one_at_the_likeliest_distance_alone() -> None:
    scene = scene_with(CLOUD, SHADOW)
    scene.pixels[3, 130:150, 40:60] = 0.12  # faint, 700 m from the cloud
    detector = FaintDetector()
    reach = ShadowProjection.away_from_sun(0.0, TEN_METRE_AXES, (300.0, 900.0))
    near = ShadowProjection.away_from_sun(0.0, TEN_METRE_AXES, (380.0, 420.0))
    far = ShadowProjection.away_from_sun(0.0, TEN_METRE_AXES, (680.0, 720.0))
    faint = np.s_[130:150, 40:60]
    for likeliest, expected in ((None, False), (near, False), (far, True)):
        mask = _mask(DetectedClassifier(detector, 0.5, reach, likeliest), scene)
        assert (mask[SHADOW] == MaskClass.SHADOW).all()
        assert (mask[faint] == MaskClass.SHADOW).all() == expected
