"""Files of drawn scenes lie where and when they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from cloudfree.commands.simulate.products import (
    LATITUDE_DEG,
    LONGITUDE_DEG,
    OPTICAL_TIME,
    SAR_TIME,
    TIME_TAG,
    Product,
    changed_mask,
    optical,
    sar,
    truth_mask,
    write_products,
)
from cloudfree.core.terminal import silent
from cloudfree.errors import OutputError
from cloudfree.simulation.scene import SimulatedScene, simulate_scene


@pytest.fixture(scope="module")
def scene() -> SimulatedScene:
    return simulate_scene((64, 64), 0, 0.4, (0.0, 0.0))


@pytest.fixture(scope="module")
def product(scene: SimulatedScene) -> Product:
    return optical(scene, scene.clear, OPTICAL_TIME)


def test_the_place_is_that_of_the_grid(product: Product) -> None:
    to_degrees = Transformer.from_crs(product.grid.crs, "EPSG:4326", always_xy=True)
    place = to_degrees.transform(*(product.grid.transform @ (0, 0)))
    assert place == pytest.approx((LONGITUDE_DEG, LATITUDE_DEG), abs=0.1)


def test_times_are_tagged_as_in_sentinel_products(scene: SimulatedScene, product: Product) -> None:
    assert product.profile.tags[TIME_TAG] == "2021-04-24T10:50:21.024Z"
    assert sar(scene, SAR_TIME).profile.tags[TIME_TAG] == "2021-04-24T17:32:40.512Z"


def test_pixels_are_those_of_the_scene(scene: SimulatedScene, product: Product) -> None:
    assert product.pixels / 10_000 == pytest.approx(scene.clear, abs=0.0000501)
    assert np.array_equal(sar(scene, SAR_TIME).pixels, scene.sar)
    assert np.array_equal(truth_mask(scene).pixels, scene.mask[None])


def test_a_mask_of_changes_is_one_where_there_are_some(tmp_path: Path) -> None:
    changed = np.zeros((64, 64), dtype=bool)
    changed[:20] = True
    write_products({tmp_path / "changed.tif": changed_mask(changed)}, {}, silent)
    with rasterio.open(tmp_path / "changed.tif") as dataset:
        assert dataset.dtypes == ("uint8",)
        assert dataset.nodata is None
        assert dataset.tags()["CLASS_1"] == "changed"
        assert np.array_equal(dataset.read(1), changed)


def test_products_are_written_with_options_of_the_user(
    scene: SimulatedScene, product: Product, tmp_path: Path
) -> None:
    products = {tmp_path / "s2.tif": product, tmp_path / "mask.tif": truth_mask(scene)}
    write_products(products, {"COMPRESS": "LZW"}, silent)
    for path, written in products.items():
        with rasterio.open(path) as dataset:
            assert np.array_equal(dataset.read(), written.pixels)
            assert dataset.compression.name == "lzw"


def test_a_wrong_option_is_found_before_any_file_is_written(
    scene: SimulatedScene, product: Product, tmp_path: Path
) -> None:
    products = {tmp_path / "mask.tif": truth_mask(scene), tmp_path / "s2.tif": product}
    with pytest.raises(OutputError, match="NOSUCH=1"):
        write_products(products, {"NOSUCH": "1"}, silent)
    assert list(tmp_path.iterdir()) == []
