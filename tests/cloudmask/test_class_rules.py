from __future__ import annotations

import numpy as np
import pytest

from cloudfree.cloudmask.class_rules import (
    ClassRules,
    add_shadows,
    base_classes,
    confirm_shadows,
    resolve_thin_cloud,
)
from cloudfree.cloudmask.shadow import ShadowProjection, ShadowThresholds
from cloudfree.core.mask_classes import MaskClass
from tests.factories.cloudy_scenes import (
    CLOUD,
    SHADOW,
    SNOW,
    VEGETATION,
    WATER,
    planes_of,
    spectrum,
)

RULES = ClassRules(threshold=0.2, max_ndsi=0.6)
THRESHOLDS = ShadowThresholds(index=np.float32(0.1), blue=np.float32(0.09))


def _class(values: tuple[float, ...], score: float) -> int:
    """The class in the middle of ground of one kind."""
    pixels = np.broadcast_to(spectrum(values), (13, 5, 5)).astype(np.float32)
    scores = np.full((5, 5), score, dtype=np.float32)
    mask = base_classes(planes_of(pixels), scores, RULES)
    add_shadows(mask, THRESHOLDS.candidates(planes_of(pixels)))
    return int(mask[2, 2])


@pytest.mark.parametrize(
    ("ground", "score", "expected"),
    [
        (VEGETATION, 0.19, MaskClass.CLEAR),
        (VEGETATION, 0.2, MaskClass.CLOUD),
        (CLOUD, 1.0, MaskClass.CLOUD),
        (SHADOW, 0.0, MaskClass.SHADOW),
        (SHADOW, 0.5, MaskClass.CLOUD),
        (SNOW, 0.0, MaskClass.SNOW),
        (SNOW, 0.9, MaskClass.SNOW),
        # Water has the index of snow but is dark: neither snow nor cloud.
        (WATER, 0.9, MaskClass.SHADOW),
        (SNOW, np.nan, MaskClass.NODATA),
        (SHADOW, np.nan, MaskClass.NODATA),
    ],
)
def test_what_wins(ground: tuple[float, ...], score: float, expected: MaskClass) -> None:
    assert _class(ground, score) == expected


def test_bright_ground_without_short_wave_infrared_is_no_data() -> None:
    cut = list(CLOUD)
    cut[11] = 0.0
    assert _class(tuple(cut), 0.9) == MaskClass.NODATA


def test_without_darkness_there_is_no_shadow() -> None:
    pixels = np.broadcast_to(spectrum(SHADOW), (13, 5, 5)).astype(np.float32)
    mask = base_classes(planes_of(pixels), np.zeros((5, 5), np.float32), RULES)
    assert (mask == MaskClass.CLEAR).all()


@pytest.mark.parametrize(
    ("cirrus", "score", "expected"),
    [
        (0.012, 0.0, MaskClass.CLEAR),
        (0.013, 0.0, MaskClass.THIN_CLOUD),
        (0.013, 0.5, MaskClass.CLOUD),
        (0.013, np.nan, MaskClass.NODATA),
    ],
)
def test_what_the_cirrus_band_shows_may_be_cirrus(
    cirrus: float, score: float, expected: int
) -> None:
    ground = [*VEGETATION[:10], cirrus, *VEGETATION[11:]]
    pixels = np.broadcast_to(spectrum(tuple(ground)), (13, 3, 3)).astype(np.float32)
    scores = np.full((3, 3), score, dtype=np.float32)
    sensitive = ClassRules(threshold=0.2, max_ndsi=0.6, sensitive=True)
    assert base_classes(planes_of(pixels), scores, sensitive)[1, 1] == expected
    assert base_classes(planes_of(pixels), scores, RULES)[1, 1] != MaskClass.THIN_CLOUD


def test_cirrus_is_cloud_beside_clouds_and_clear_elsewhere() -> None:
    cloud, shadow = MaskClass.CLOUD, MaskClass.SHADOW
    mask = np.array([[4, 4, 4, shadow, cloud, 4, 4, 4, 0]], dtype=np.uint8)
    settled = resolve_thin_cloud(mask, 2.0)
    np.testing.assert_array_equal(settled, [[0, 0, cloud, shadow, cloud, cloud, cloud, 0, 0]])
    assert (
        resolve_thin_cloud(np.full((3, 3), MaskClass.THIN_CLOUD, np.uint8), 5.0) == MaskClass.CLEAR
    ).all()


def test_what_may_be_cloud_is_shadow_where_one_is_confirmed_and_stays_over_dark_ground() -> None:
    cloud, shadow, maybe = MaskClass.CLOUD, MaskClass.SHADOW, MaskClass.THIN_CLOUD
    mask = np.array([[maybe, maybe, MaskClass.CLEAR, cloud, maybe]], dtype=np.uint8)
    add_shadows(mask, np.ones((1, 5), np.bool_))
    confirmed = confirm_shadows(mask, ShadowProjection.between((0.0, -2.0), (0.0, -3.0)))
    np.testing.assert_array_equal(confirmed, [[shadow, shadow, MaskClass.CLEAR, cloud, maybe]])


def test_only_shadows_behind_a_cloud_are_confirmed() -> None:
    cloud, shadow, snow = MaskClass.CLOUD, MaskClass.SHADOW, MaskClass.SNOW
    mask = np.array([[shadow, shadow, shadow, shadow, cloud, shadow, snow]], dtype=np.uint8)
    confirmed = confirm_shadows(mask, ShadowProjection.between((0.0, -2.0), (0.0, -3.0)))
    np.testing.assert_array_equal(confirmed, [[0, shadow, shadow, 0, cloud, 0, snow]])
