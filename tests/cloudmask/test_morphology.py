"""Growing, smoothing and majority filters on masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from cloudfree.cloudmask.morphology import (
    Distance,
    dilate,
    dilation_halo_px,
    parse_distance,
    shadow_under_dilation,
)
from cloudfree.core.grid import strips
from cloudfree.core.mask_classes import FILE_CLASSES, MaskClass
from cloudfree.errors import InputError

CLASSES = np.array([*FILE_CLASSES], dtype=np.uint8)
radii = st.sampled_from([0.0, 0.5, 1.0, 1.5, 4.0, 5.0, 7.3, 29.9, 30.0, 35.2])


def _mask(seed: int, height: int = 40, width: int = 23) -> np.ndarray:
    shares = [0.93, 0.02, 0.02, 0.02, 0.01]
    return np.random.default_rng(seed).choice(CLASSES, (height, width), p=shares)


@pytest.mark.parametrize(
    ("text", "distance"),
    [
        ("40m", Distance(40, "m")),
        ("4px", Distance(4, "px")),
        (" 2.5 M ", Distance(2.5, "m")),
        (".5px", Distance(0.5, "px")),
        ("0", Distance(0, "px")),
        ("0.0", Distance(0, "px")),
    ],
)
def test_distances_are_metres_pixels_or_nothing(text: str, distance: Distance) -> None:
    assert parse_distance(text) == distance


@pytest.mark.parametrize("text", ["", "4", "-4px", "40 km", "m", "nan", "1e3m", "four px"])
def test_other_texts_are_refused(text: str) -> None:
    wanted = r"a distance of .*; wanted a length of at least 0 .* 40m or 4px; add the unit"
    with pytest.raises(InputError, match=wanted):
        parse_distance(text)


def test_metres_become_pixels_by_the_size_of_a_pixel() -> None:
    assert parse_distance("40m").pixels(10.0) == 4.0
    assert parse_distance("40m").pixels(160.0) == 0.25
    assert parse_distance("4px").pixels(160.0) == 4.0


@given(st.integers(0, 10_000), radii)
def test_classes_grow_by_a_disc_cloud_over_shadow_over_the_rest(seed: int, radius: float) -> None:
    mask = _mask(seed)
    grown = dilate(mask, radius)

    def near(value: MaskClass) -> np.ndarray:
        if not (mask == value).any():
            return np.zeros(mask.shape, dtype=bool)
        return distance_transform_edt(mask != value) <= radius + 1e-6

    expected = mask.copy()
    expected[near(MaskClass.SHADOW)] = MaskClass.SHADOW
    expected[near(MaskClass.CLOUD)] = MaskClass.CLOUD
    expected[mask == MaskClass.NODATA] = MaskClass.NODATA
    np.testing.assert_array_equal(grown, expected)


@given(st.integers(0, 10_000), radii, st.integers(1, 15))
def test_strips_with_their_halo_grow_like_the_whole(seed: int, radius: float, rows: int) -> None:
    mask = _mask(seed)
    whole = dilate(mask, radius)
    height, width = mask.shape
    for window in strips(height, width, rows):
        outer = window.buffered(dilation_halo_px(radius), height, width)
        part = dilate(mask[outer.slices], radius)[window.relative_to(outer)]
        np.testing.assert_array_equal(part, whole[window.slices])


def test_shadow_goes_on_below_the_cloud_beside_it_and_not_over_clear_ground() -> None:
    mask = np.zeros((8, 30), np.uint8)
    mask[:, 10:14], mask[:, 14:] = MaskClass.SHADOW, MaskClass.CLOUD
    shadow = shadow_under_dilation(mask, 5)
    assert shadow[:, 10:19].all()
    assert not shadow[:, :10].any()
    assert not shadow[:, 19:].any()


def test_a_cloud_without_shadow_has_none() -> None:
    assert not shadow_under_dilation(np.full((8, 8), MaskClass.CLOUD, np.uint8), 5).any()
