"""How far from their clouds shadows lie."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.cloudmask.shadow import PixelAxes
from cloudfree.cloudmask.shadow_distance import MOST_PARTS, fit_distance, mixed_parts
from cloudfree.core.mask_classes import Mask, MaskClass

NORTH_UP = PixelAxes((-0.1, 0.0), (0.0, 0.1))


def _scene(azimuth_deg: float, distance_m: float, shadow: MaskClass = MaskClass.SHADOW) -> Mask:
    """Squares of cloud with their shadows, and shadows of woods anywhere."""
    rng = np.random.default_rng(2)
    mask = np.zeros((512, 512), np.uint8)
    corners = rng.integers(120, 380, (30, 2))
    down, right = NORTH_UP.displacement(azimuth_deg + 180.0, distance_m)
    for row, col in rng.integers(0, 500, (20, 2)):
        mask[row : row + 9, col : col + 9] = MaskClass.SHADOW
    for row, col in corners:
        there = np.s_[row + round(down) : row + round(down) + 12, col + round(right) :]
        mask[there][:, :12] = shadow
    for row, col in corners:
        mask[row : row + 12, col : col + 12] = MaskClass.CLOUD
    return mask


@pytest.mark.parametrize("distance_m", [180.0, 420.0, 1000.0])
@pytest.mark.parametrize("azimuth_deg", [30.0, 135.0])
@pytest.mark.parametrize("shadow", [MaskClass.SHADOW, MaskClass.FAINT_SHADOW])
def test_the_distance_of_the_shadows_is_found(
    distance_m: float, azimuth_deg: float, shadow: MaskClass
) -> None:
    found = fit_distance([_scene(azimuth_deg, distance_m, shadow)], NORTH_UP, azimuth_deg)
    assert found is not None
    nearest, farthest = found.reach
    assert nearest <= distance_m <= farthest
    assert farthest - nearest < 200.0
    assert nearest <= found.likeliest[0] < found.likeliest[1] <= farthest
    assert abs(sum(found.likeliest) / 2 - distance_m) <= 30.0


def test_parts_of_a_scene_agree_on_one_distance() -> None:
    scene = _scene(135.0, 420.0)
    found = fit_distance([scene[:, :256], scene[:, 256:]], NORTH_UP, 135.0)
    assert found is not None
    assert found.likeliest[0] <= 420.0 <= found.likeliest[1]


@pytest.mark.parametrize("value", [MaskClass.CLEAR, MaskClass.CLOUD, MaskClass.NODATA])
def test_without_clouds_or_shadows_there_is_no_distance(value: MaskClass) -> None:
    assert fit_distance([np.full((256, 256), value, np.uint8)], NORTH_UP, 135.0) is None


def test_of_a_large_scene_the_parts_with_cloud_and_ground_are_taken() -> None:
    half = np.zeros((8, 2000), np.uint8)
    half[:, :512] = MaskClass.CLOUD
    parts = mixed_parts([half, *(np.zeros((8, 2000), np.uint8) for _ in range(40))])
    assert len(parts) == MOST_PARTS
    assert (parts[0] == MaskClass.CLOUD).mean() == 0.5
