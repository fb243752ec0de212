"""Finer pixels in the page: which, how many, and where they lie."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from cloudfree.core.grid import Grid
from cloudfree.raster.gdal import ignored_warning
from cloudfree.report import zoom
from cloudfree.report.layers import Layer, Place, layers, whole_place
from cloudfree.report.sources import open_sources
from cloudfree.report.zoom import TILE_PX, Zoom, factors, tile_places, zoom_of
from tests.factories.results import write_result
from tests.report.test_page import changed, page_of

SIDES = st.integers(1, 3000)


def grid_of(height: int, width: int) -> Grid:
    return Grid(None, Affine.identity(), height, width)


@pytest.mark.parametrize(
    ("longest", "expected"),
    [(1, []), (1024, []), (1025, [1]), (2048, [1]), (3072, [2, 1]), (10980, [4, 2, 1])],
)
def test_levels_are_finer_than_the_overview_and_end_in_the_pixels_of_the_result(
    longest: int, expected: list[int]
) -> None:
    assert factors(longest, 1024) == expected


@given(SIDES, SIDES, st.sampled_from([1, 2, 4]))
def test_tiles_cover_every_pixel_once(height: int, width: int, factor: int) -> None:
    covered = np.zeros((height, width), np.uint8)
    for place in tile_places(grid_of(height, width), factor):
        covered[place.window.slices] += 1
        assert max(place.part.height, place.part.width) <= TILE_PX
        assert place.part.row * factor == place.window.row
        assert 0 <= place.part.height * factor - place.window.height < factor
    assert (covered == 1).all()


def plain(name: str, composite: str = "", colour: int = 9) -> Layer:
    """A layer of noise, whose tiles are large, in one colour where it is a mask."""

    def draw(place: Place) -> np.ndarray:
        size = (place.part.height, place.part.width, 4)
        pixels = np.random.default_rng(place.part.row).integers(0, 255, size, np.uint8)
        pixels[..., 3] = 255
        return pixels

    return Layer(name, name, name, draw, composite)


ALL = [plain("before", "true"), plain("after", "true"), plain("after", "swir"), plain("sar")]


def test_with_room_for_all_every_layer_has_full_resolution() -> None:
    found = zoom_of(ALL, grid_of(700, 600), 10.0, 256, 10**9)
    assert found.full
    assert found.finest == {"before and after": 1, "radar": 1, "short-wave infrared": 1}
    assert {key: [one.factor for one in levels] for key, levels in found.levels.items()} == {
        "before/true": [1], "after/true": [1], "after/swir": [1], "sar/": [1],
    }  # fmt: skip
    level = found.levels["sar/"][0]
    assert (level.columns, len(level.tiles), level.kind) == (2, 4, "jpeg")


@pytest.mark.parametrize("largest", [0, 10_000, 600_000, 2_000_000, 5_000_000])
def test_tiles_never_take_more_than_there_is(largest: int) -> None:
    found = zoom_of(ALL, grid_of(1200, 1200), 10.0, 256, largest)
    taken = sum(level.size for levels in found.levels.values() for level in levels)
    assert taken <= largest * 1.001
    assert found.finest["before and after"] <= found.finest["short-wave infrared"]


def test_before_and_after_become_fine_together_and_first() -> None:
    room = zoom_of(ALL[:2], grid_of(600, 600), 10.0, 256, 10**9)
    size = sum(level.size for levels in room.levels.values() for level in levels)
    found = zoom_of(ALL, grid_of(600, 600), 10.0, 256, size + 100)
    assert set(found.levels) == {"before/true", "after/true"}
    assert found.finest == {"before and after": 1, "radar": 3, "short-wave infrared": 3}
    assert not found.full
    assert (
        zoom_of(ALL, grid_of(600, 600), 10.0, 256, size - 1000)
        .levels.keys()
        .isdisjoint({"before/true", "after/true"})
    )


def test_a_level_that_cannot_fit_is_not_drawn() -> None:
    """The next one takes at least twice the bytes."""
    drawn: list[Place] = []
    noisy = plain("sar")
    layer = Layer("sar", "", "", lambda place: drawn.append(place) or noisy.draw(place))
    grid = grid_of(1600, 1600)
    whole = zoom_of([layer], grid, 10.0, 400, 10**9).levels["sar/"]
    assert [level.factor for level in whole] == [2, 1]
    drawn.clear()
    found = zoom_of([layer], grid, 10.0, 400, int(2.5 * whole[0].size))
    assert found.finest == {"radar": 2}
    assert len(drawn) == len(whole[0].tiles)


def test_what_has_no_data_takes_no_room() -> None:
    empty = Layer("sar", "", "", lambda place: np.zeros((place.part.height, 9, 4), np.uint8))
    assert zoom_of([empty], grid_of(600, 600), 10.0, 256, 1000).levels["sar/"][0].tiles == ("",) * 4


def decoded(tile: str) -> np.ndarray:
    quiet = ignored_warning(NotGeoreferencedWarning)
    with quiet, MemoryFile(base64.b64decode(tile)) as memory, memory.open() as dataset:
        return np.moveaxis(dataset.read(), 0, -1)


def test_tiles_of_a_result_join_to_its_picture(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(zoom, "TILE_PX", 20)
    fake = write_result(tmp_path)
    with open_sources(fake.result, None) as sources:
        found = list(layers(sources, whole_place(sources.after.grid, 1024)))
        made = zoom_of(found, sources.after.grid, 10.0, 16, 10**9)
        (mask,) = [layer for layer in found if layer.name == "mask"]
        whole = mask.draw(whole_place(sources.after.grid, 1024))
    assert [level.factor for level in made.levels["mask/"]] == [2, 1]
    level = made.levels["mask/"][-1]
    rows = [
        np.hstack([decoded(tile) for tile in level.tiles[at : at + level.columns]])
        for at in range(0, len(level.tiles), level.columns)
    ]
    np.testing.assert_array_equal(np.vstack(rows), whole)


def test_the_script_gets_sizes_and_tiles() -> None:
    level = zoom.ZoomLevel(2, "png", 1, ("AAAA",))
    assert Zoom(7, 5, 10.0, {"mask/": (level,)}, {"masks": 2}).data() == {
        "width": 7, "height": 5, "tile": TILE_PX, "metres": 10.0,
        "levels": {"mask/": [{"factor": 2, "kind": "png", "columns": 1, "tiles": ("AAAA",)}]},
    }  # fmt: skip


def test_pixels_that_have_no_room_in_the_page_are_named():
    zoom = Zoom(9000, 9000, 10.0, {}, {"before and after": 1, "masks": 1, "radar": 4})
    text = " ".join(page_of(changed(zoom=zoom))[1].text.split())
    assert (
        "Zoomed in, this page shows before and after, masks in pixels of 10 m; radar in pixels of "
        "40 m. Finer pixels would make it larger than 18 MB; --max-size raises this limit." in text
    )
    full = replace(zoom, finest={"masks": 1})
    assert "Zoomed in" not in page_of(changed(zoom=full))[1].text
