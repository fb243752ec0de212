"""Arrays stand in for files."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.api.array_scene import ArrayMask, ArrayRadar, mask_array, optical_array, radar_array
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import MaskClass
from cloudfree.errors import InputError

WINDOW = Window(1, 2, 3, 4)
PIXELS = np.linspace(0.01, 0.9, 2 * 6 * 8, dtype=np.float32).reshape(2, 6, 8)


def test_bands_are_read_by_name_in_any_order() -> None:
    scene = optical_array(PIXELS, ("B02", "B8A"))
    assert np.array_equal(scene.reflectance(("B8A", "B02"), WINDOW), PIXELS[::-1, 1:4, 2:6])
    assert (scene.grid.height, scene.grid.width) == (6, 8)


def test_a_pixel_that_lacks_a_band_has_no_reflectance() -> None:
    holed = PIXELS.copy()
    holed[0, 2, 3] = np.nan
    scene = optical_array(holed, ("B02", "B8A"))
    assert np.isnan(scene.reflectance(("B02", "B8A"), scene.grid.window)[:, 2, 3]).all()


def test_what_is_read_may_be_changed_and_the_arrays_stay() -> None:
    pixels, backscatter = PIXELS.copy(), PIXELS.copy()
    scene, radar = optical_array(pixels, ("B02", "B8A")), ArrayRadar(backscatter)
    room = np.zeros((2, 3, 4), np.float32)
    for part in (scene.native(WINDOW), scene.native(WINDOW, room)):
        assert np.array_equal(part, PIXELS[:, 1:4, 2:6])
        part[...] = 0
    radar.on_grid(scene.grid, WINDOW)[...] = 0
    assert np.array_equal(pixels, PIXELS)
    assert np.array_equal(backscatter, PIXELS)


def test_a_mask_counts_its_classes() -> None:
    classes = np.array([[MaskClass.CLOUD, MaskClass.CLEAR], [MaskClass.CLOUD, MaskClass.NODATA]])
    mask = mask_array(classes, (2, 2))
    assert np.array_equal(mask.classes(Window(0, 1, 2, 1)), classes[:, 1:])
    assert mask.counts()[[MaskClass.CLEAR, MaskClass.CLOUD, MaskClass.NODATA]].tolist() == [1, 2, 1]
    assert mask.counts().sum() == 4
    assert isinstance(mask, ArrayMask)


def test_arrays_of_other_sizes_are_refused() -> None:
    for build, text in (
        (lambda: mask_array(np.zeros((2, 3)), (2, 2)), r"a mask of shape \(2, 3\)"),
        (lambda: mask_array(np.full((2, 2), 9), (2, 2)), "9 in the mask"),
        (lambda: radar_array(PIXELS, (2, 2)), r"a SAR array of shape \(2, 6, 8\)"),
        (lambda: radar_array(None, (2, 2)), "no SAR array"),
        (lambda: optical_array(PIXELS, ("B02",)), r"shape \(2, 6, 8\) for 1 bands"),
    ):
        with pytest.raises(InputError, match=text):
            build()
