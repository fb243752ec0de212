"""The ground-range image: calibrated power, in any window and as means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.sentinel1.annotation import Annotation
from cloudfree.sentinel1.grd import annotation_of
from cloudfree.sentinel1.image import GroundRangeImage
from cloudfree.sentinel1.product import Product, find_product
from tests.factories.rasters import write_raster
from tests.factories.sentinel1_products import level_scene, write_safe

SIZE = (120, 160)


def _product(folder: Path) -> tuple[Product, Annotation]:
    product = find_product(write_safe(folder, level_scene(*SIZE, sigma=0.1)))
    assert product is not None
    return product, annotation_of(product)


def test_power_is_sigma_nought_and_any_window_equals_its_part_of_the_whole(tmp_path: Path) -> None:
    with GroundRangeImage(*_product(tmp_path)) as image:
        whole = image.power(Window(0, 0, *SIZE))
        window = Window(17, 29, 40, 51)
        part = image.power(window)
    assert np.nanmedian(whole[0]) == pytest.approx(0.1, rel=0.01)
    assert np.nanmedian(whole[1]) == pytest.approx(0.025, rel=0.01)
    assert np.allclose(part, whole[:, *window.slices], equal_nan=True)


def test_means_are_over_whole_squares(tmp_path: Path) -> None:
    window = Window(10, 20, 23, 31)
    with GroundRangeImage(*_product(tmp_path)) as image:
        power, means = image.power(window), image.mean_power(window, 4)
        assert np.array_equal(image.mean_power(window, 1), power)
    assert means.shape == (2, 5, 7)
    assert means[:, 1, 2] == pytest.approx(power[:, 4:8, 8:12].mean(axis=(1, 2)))


def test_a_resampled_copy_is_refused(tmp_path: Path) -> None:
    product, annotation = _product(tmp_path)
    for band in ("VV", "VH"):
        path = product.path / product.measurement(band)
        write_raster(path, np.ones((1, 60, 80), np.uint16), [None])
    with pytest.raises(InputError, match=r"60 x 80 pixels in .*; wanted 120 x 160, .*; give the"):
        GroundRangeImage(product, annotation)
