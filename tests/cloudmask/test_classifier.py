from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.cloudmask.class_rules import ClassRules
from cloudfree.cloudmask.classifier import Classifier, Shadows, with_halo
from cloudfree.cloudmask.scene_statistics import OVERVIEW_PX, SceneStatistics, collect_statistics
from cloudfree.cloudmask.score import SCORE_HALO_PX
from cloudfree.cloudmask.shadow import SHADOW_BANDS, ShadowProjection
from cloudfree.core.grid import Window, strips
from cloudfree.core.mask_classes import FILE_CLASSES, MaskClass
from cloudfree.core.terminal import silent
from tests.factories.cloudy_scenes import TEN_METRE_AXES, ArraySource, cloudy_scene, degrees_apart

RULES = ClassRules(threshold=0.2, max_ndsi=0.6)
SENSITIVE = replace(RULES, sensitive=True)
PIXELS, CLOUD, SHADOW = cloudy_scene()
BROKEN_CLOUD = cloudy_scene(size=110, distance_m=250.0, seed=2)[0]


def _survey(source: ArraySource, rows: int, azimuth: float | None = None) -> SceneStatistics:
    return collect_statistics(source, RULES, TEN_METRE_AXES, azimuth, silent, rows)


def _classifier(source: ArraySource, rows: int, azimuth: float = 150.0) -> Classifier:
    cast = ShadowProjection.away_from_sun(azimuth, TEN_METRE_AXES, (150.0, 600.0))
    found = _survey(source, rows, azimuth)
    return Classifier(RULES, Shadows(found.thresholds, cast, found.lit), 2.5)


def _whole(source: ArraySource, classifier: Classifier, rows: int) -> np.ndarray:
    parts = list(classifier.strips(source, strip_rows=rows))
    assert [window for window, _ in parts] == list(strips(*source.pixels.shape[1:], rows))
    return np.concatenate([mask for _, mask in parts])


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 50))
@settings(max_examples=25)
def test_the_mask_does_not_depend_on_the_height_of_the_strips(
    height: int, rows: int, seed: int
) -> None:
    pixels = BROKEN_CLOUD[:, seed : seed + height, 20:90].copy()
    pixels[:, np.random.default_rng(seed).random(pixels.shape[1:]) < 0.05] = np.nan
    source = ArraySource(pixels)
    whole = _whole(source, _classifier(source, 10_000), 10_000)
    np.testing.assert_array_equal(_whole(source, _classifier(source, rows), rows), whole)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 50))
@settings(max_examples=25)
def test_a_sensitive_mask_does_not_depend_on_it_either(height: int, rows: int, seed: int) -> None:
    """Cirrus is cloud or clear by clouds that may lie in other strips."""
    pixels = PIXELS[:, 40 + seed : 40 + seed + height].copy()
    pixels[10, :, ::3] = 0.013
    source = ArraySource(pixels)

    def classified(rows: int) -> np.ndarray:
        found = collect_statistics(source, SENSITIVE, TEN_METRE_AXES, 150.0, silent, rows)
        cast = ShadowProjection.away_from_sun(150.0, TEN_METRE_AXES, (150.0, 600.0))
        shadows = Shadows(found.thresholds, cast, found.lit)
        return _whole(source, Classifier(SENSITIVE, shadows, 2.5, thin_cloud_reach_px=7.0), rows)

    whole = classified(10_000)
    np.testing.assert_array_equal(classified(rows), whole)
    assert set(np.unique(whole)) <= {value.value for value in FILE_CLASSES}


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 30))
def test_strips_come_with_their_halo(height: int, rows: int, halo: int) -> None:
    numbers = np.repeat(np.arange(height, dtype=np.uint8)[:, None], 3, axis=1)
    windows = list(strips(height, 3, rows))
    given_ = ((window, numbers[window.slices]) for window in windows)
    for window, (inner, outer, around) in zip(windows, with_halo(given_, halo), strict=True):
        assert inner == window
        assert outer == window.buffered(halo, height, 3)
        np.testing.assert_array_equal(around, numbers[outer.slices])


@pytest.mark.parametrize("azimuth", [150.0, -30.0])
@pytest.mark.parametrize("rows", [1, 8, 33])
def test_shadows_of_clouds_in_other_strips_are_found(rows: int, azimuth: float) -> None:
    source = ArraySource(PIXELS)
    classifier = _classifier(source, rows, azimuth)
    mask = _whole(source, classifier, rows)
    np.testing.assert_array_equal(mask, _whole(source, classifier, 200))
    assert (mask == MaskClass.SHADOW).sum() > 500


def test_no_more_than_a_strip_and_its_halo_is_read_at_once() -> None:
    source = ArraySource(PIXELS)
    _whole(source, _classifier(source, 20), 20)
    assert max(window.height for window in source.reads) == 20 + 2 * SCORE_HALO_PX
    assert len(source.reads) == 20


def test_clouds_and_the_shadows_behind_them_are_found() -> None:
    source = ArraySource(PIXELS)
    classifier = Classifier(RULES, _classifier(source, 64).shadows)
    mask = _whole(source, classifier, 64)
    assert (mask[CLOUD] == MaskClass.CLOUD).mean() > 0.9
    assert (mask[SHADOW] == MaskClass.SHADOW).mean() > 0.6
    assert (mask[~(CLOUD | SHADOW)] == MaskClass.SHADOW).mean() < 0.01
    against_the_sun = Classifier(RULES, _classifier(source, 64, azimuth=-30.0).shadows)
    wrong = _whole(source, against_the_sun, 64)
    assert (wrong[SHADOW] == MaskClass.SHADOW).mean() < 0.4


def test_scores_are_handed_out_on_the_way() -> None:
    source, scores = ArraySource(PIXELS), {}
    list(Classifier(RULES).strips(source, silent, scores.__setitem__, 64))
    assert list(scores) == list(strips(200, 200, 64))
    score = np.concatenate(list(scores.values()))
    assert score[CLOUD].mean() > 0.8
    assert score[~CLOUD].mean() < 0.1


def test_the_mask_is_the_same_with_scores_requested_and_without() -> None:
    source, scores = ArraySource(BROKEN_CLOUD), {}
    classifier = _classifier(source, 33)
    without = [mask for _, mask in classifier.strips(source)]
    of_bands = [mask for _, mask in classifier.strips(source, silent, scores.__setitem__, 40)]
    np.testing.assert_array_equal(np.concatenate(without), np.concatenate(of_bands))
    assert len(scores) == -(-BROKEN_CLOUD.shape[1] // 40)


def test_the_second_pass_reads_the_bands_of_darkness_and_no_more() -> None:
    source = ArraySource(PIXELS)
    classifier = _classifier(source, 64)
    source.bands_read.clear()
    list(classifier.strips(source))
    assert set(source.bands_read) == {SHADOW_BANDS}


@pytest.mark.parametrize("rows", [7, 64, 10_000])
def test_the_survey_finds_the_sun_whatever_the_strips(rows: int) -> None:
    found = _survey(ArraySource(PIXELS), rows)
    assert found.valid_px == PIXELS[0].size
    assert found.sun is not None
    assert degrees_apart(found.sun.azimuth_deg, 150.0) <= 10
    whole = _survey(ArraySource(PIXELS), 200)
    assert (found.thresholds, found.sun) == (whole.thresholds, whole.sun)


@pytest.mark.parametrize("azimuth", [None, 150.0])
def test_the_survey_finds_how_far_shadows_fall(azimuth: float | None) -> None:
    sun = _survey(ArraySource(PIXELS), 64, azimuth).sun
    assert sun is not None
    assert sun.distance_m is not None
    assert 400 <= sun.distance_m[0] <= 500 <= sun.distance_m[1] <= 600


def test_a_large_scene_is_thinned_out_for_the_sun(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OVERVIEW_PX <= 1024
    monkeypatch.setattr("cloudfree.cloudmask.scene_statistics.OVERVIEW_PX", 50)
    surveys = [_survey(ArraySource(PIXELS), rows) for rows in (33, 200)]
    assert surveys[0].thresholds == surveys[1].thresholds
    assert surveys[0].sun == surveys[1].sun
    assert surveys[0].sun is not None
    assert degrees_apart(surveys[0].sun.azimuth_deg, 150.0) <= 15


@pytest.mark.parametrize("size", [(1, 1), (1, 97), (97, 1), (3, 5)])
def test_small_scenes_are_classified(size: tuple[int, int]) -> None:
    source = ArraySource(PIXELS[:, : size[0], : size[1]])
    mask = _whole(source, _classifier(source, 2), 2)
    assert mask.shape == size
    assert Window(0, 0, *size) == source.grid.window
