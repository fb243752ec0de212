"""Layers: a part of one looks as that part of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.report.layers import Layer, Place, layers, whole_place
from cloudfree.report.sources import open_sources
from tests.factories.rasters import write_cloudy_scene, write_raster
from tests.factories.results import reference_tags, write_result


@pytest.fixture
def found(tmp_path: Path):
    """Every layer there is, of a result of 48 x 64 pixels, and the place of all of it."""
    date = write_cloudy_scene(tmp_path / "may.tif", 48, 64)
    tags = reference_tags([date])
    fake = write_result(tmp_path, CLOUDFREE_UNCERTAINTY="sure.tif", **tags)
    numbers = np.random.default_rng(3).integers(0, 900, (2, 48, 64), np.uint16)
    write_raster(tmp_path / "sure.tif", numbers, ["B02", "B03"], nodata=65535)
    with open_sources(fake.result, fake.truth) as sources:
        whole = whole_place(sources.after.grid, 1024)
        yield list(layers(sources, whole)), whole


def test_every_file_of_a_result_is_a_layer(found: tuple[list[Layer], Place]) -> None:
    names = dict.fromkeys(layer.name for layer in found[0])
    assert list(names) == [
        "before", "after", "truth", "reference_1", "sar", "mask", "outline", "uncertainty", "error"
    ]  # fmt: skip
    composites = [layer.composite for layer in found[0] if layer.name == "reference_1"]
    assert composites == ["true", "false", "swir"]


def test_a_part_looks_as_in_the_whole(found: tuple[list[Layer], Place]) -> None:
    window = Window(10, 12, 20, 30)
    for layer in found[0]:
        whole = layer.draw(found[1])
        part = layer.draw(Place(window, found[1].level, window))
        assert part.shape == (20, 30, 4)
        if layer.name == "outline":  # the edge of a part is none of the region
            continue
        np.testing.assert_array_equal(part, whole[window.slices], err_msg=layer.caption)


def test_a_place_of_all_is_no_larger_than_asked(found: tuple[list[Layer], Place]) -> None:
    grid = found[1].grid
    place = whole_place(grid, 16)
    assert (place.part, place.window) == (Window(0, 0, 12, 16), Window(0, 0, 48, 64))
    assert all(layer.draw(place).shape == (12, 16, 4) for layer in found[0])
