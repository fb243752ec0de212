"""The classes of a mask: which a file may hold, which hide the ground, and their shares."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.choices import MAX_REFERENCES
from cloudfree.core.mask_classes import (
    FILE_CLASSES,
    FILL_COLOURS,
    MASK_COLOURS,
    REFERENCE_CLASSES,
    FillClass,
    MaskClass,
    class_fractions,
    fill_shares,
    in_shadow,
    is_cloud_or_shadow,
    is_filled,
    shows_ground,
)

MASK = np.array([[0, 1, 2], [3, 255, 1]], dtype=np.uint8)


def test_a_file_holds_every_class_but_the_candidates() -> None:
    candidates = {MaskClass.THIN_CLOUD, MaskClass.THIN_CLOUD_DARK, MaskClass.FAINT_SHADOW}
    assert set(MaskClass) - set(FILE_CLASSES) == candidates
    assert tuple(MASK_COLOURS) == FILE_CLASSES


def test_the_values_of_a_file_are_those_of_the_format() -> None:
    assert [value.value for value in FILE_CLASSES] == [0, 1, 2, 3, 255]


def test_clouds_and_shadows_hide_the_ground() -> None:
    hidden = [[False, True, True], [False, False, True]]
    np.testing.assert_array_equal(is_cloud_or_shadow(MASK), hidden)
    np.testing.assert_array_equal(in_shadow(MASK), MASK == 2)


def test_candidates_of_thin_cloud_hide_nothing_yet() -> None:
    candidates = np.array([MaskClass.THIN_CLOUD, MaskClass.THIN_CLOUD_DARK], dtype=np.uint8)
    assert not is_cloud_or_shadow(candidates).any()


def test_fractions_are_of_valid_pixels_and_nodata_of_all() -> None:
    fractions = class_fractions(np.bincount(MASK.ravel(), minlength=256))
    assert fractions == pytest.approx(
        {"clear": 0.2, "cloud": 0.4, "shadow": 0.2, "snow": 0.2, "nodata": 1 / 6}
    )


def test_without_a_valid_pixel_every_class_has_no_share() -> None:
    fractions = class_fractions(np.bincount(np.full(4, 255), minlength=256))
    assert fractions == {"clear": 0, "cloud": 0, "shadow": 0, "snow": 0, "nodata": 1}


def test_classes_have_labels_and_colours() -> None:
    labels = [one.label for one in FillClass]
    assert labels[:3] == ["original", "filled", "cloud, not filled"]
    assert labels[3:6] == ["filled by the scene itself", "reference 1", "reference 2"]
    assert [one.label for one in FILE_CLASSES] == ["clear", "cloud", "shadow", "snow", "nodata"]
    assert len({*FILL_COLOURS.values()}) == len(FillClass)


def test_a_pixel_is_filled_by_whatever_fills_it() -> None:
    classes = np.array([0, 1, 2, 3, 11, 18, 255], dtype=np.uint8)
    assert is_filled(classes).tolist() == [False, True, False, True, True, True, False]
    assert len(REFERENCE_CLASSES) == MAX_REFERENCES


def test_snow_is_ground_and_nodata_is_none() -> None:
    classes = np.array([value.value for value in FILE_CLASSES], np.uint8)
    shown = [MaskClass(value) for value in classes[shows_ground(classes)]]
    assert shown == [MaskClass.CLEAR, MaskClass.SNOW]


def test_shares_of_what_fills_are_of_the_filled_pixels_and_of_classes_that_occur() -> None:
    classes = [FillClass.ORIGINAL] * 9 + [FillClass.UNFILLED, FillClass.NODATA]
    filled = [FillClass.REFERENCE_2] * 3 + [FillClass.FILLED]
    shares = fill_shares(np.bincount([*classes, *filled], minlength=256))
    assert shares == {FillClass.FILLED: 0.25, FillClass.REFERENCE_2: 0.75}
    assert fill_shares(np.bincount(classes, minlength=256)) == {}
