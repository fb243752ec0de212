"""Rasters are read whole, in windows, at reduced size; pictures are written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.drafts import new_draft_folder
from cloudfree.core.grid import Grid, Window
from cloudfree.core.journal import Journal
from cloudfree.errors import InputError
from cloudfree.raster import dataset
from cloudfree.raster.dataset import (
    WINDOW_PX,
    WINDOWS_PER_SIDE,
    Dataset,
    even_windows,
    files_of_raster,
    reduced,
    reduced_classes,
    spread_windows,
)
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel1.terrain import Elevation
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.damage import half_loaded
from tests.factories.rasters import TEN_METRES, UTM31, write_radar, write_raster

NUMBERS = np.arange(2 * 8 * 6, dtype=np.uint16).reshape(2, 8, 6)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "small.tif", NUMBERS, ["a", "b"])


def test_bands_are_read_whole_in_part_and_at_another_size(small: Path) -> None:
    with Dataset(small) as file:
        np.testing.assert_array_equal(file.read([1, 0]), NUMBERS[::-1])
        np.testing.assert_array_equal(file.read([0], Window(2, 1, 3, 4)), NUMBERS[:1, 2:5, 1:5])
        halved = file.read([0], out_shape=(4, 3), resampling=Resampling.average)
        means = NUMBERS[0].reshape(4, 2, 3, 2).mean(axis=(1, 3))
        assert np.abs(halved[0] - means).max() <= 0.5  # rounded
        assert file.thinned([0, 1], 5).shape == (2, 5, 5)
        assert file.thinned([0, 1], 99).shape == NUMBERS.shape
        assert file.thinned([0], 3, Window(1, 0, 1, 8)).shape == (1, 1, 3)


@pytest.mark.parametrize(
    "look",
    [
        lambda file: file.read([0]),
        lambda file: file.read([0], Window(90, 90, 2, 2)),
        lambda file: file.thinned([0], 10),
    ],
    ids=["whole", "window", "thinned"],
)
def test_a_file_that_is_half_loaded_is_refused(
    tmp_path: Path, look: Callable[[Dataset], object]
) -> None:
    path = half_loaded(write_radar(tmp_path / "vv_vh.tif"))
    with Dataset(path) as file, pytest.raises(InputError, match=r"vv_vh\.tif cannot be read \("):
        look(file)


def _other_mask(folder: Path) -> object:
    path = write_raster(folder / "a.tif", np.zeros((1, 9, 9), np.uint8), ["mask"])
    return MaskFile(path, Grid(None, TEN_METRES, 8, 8))


def _no_bands(folder: Path) -> object:
    return OpticalScene(write_raster(folder / "a.tif", NUMBERS, ["x", "y"]))


def _undecided(folder: Path) -> object:
    pixels = np.full((13, 4, 4), 20_000, np.uint16)
    return OpticalScene(write_raster(folder / "a.tif", pixels, OPTICAL_BANDS))


def _no_power(folder: Path) -> object:
    return SarScene(write_raster(folder / "a.tif", np.full((2, 4, 4), 50.0, "f4"), SAR_BANDS))


def _cut_radar(folder: Path) -> object:
    return SarScene(half_loaded(write_radar(folder / "a.tif")))


def _bare_heights(folder: Path) -> object:
    return Elevation(write_raster(folder / "a.tif", NUMBERS[:1], ["height"], crs=None))


@pytest.mark.parametrize(
    "open_it", [_other_mask, _no_bands, _undecided, _no_power, _cut_radar, _bare_heights]
)
def test_what_is_refused_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_it: Callable[[Path], object]
) -> None:
    handles: list[DatasetReader] = []

    def watched(source: str, name: str) -> DatasetReader:
        handles.append(opened(source, name))
        return handles[-1]

    opened = dataset.open_raster
    monkeypatch.setattr(dataset, "open_raster", watched)
    with pytest.raises(InputError):
        open_it(tmp_path)
    assert handles
    assert all(handle.closed for handle in handles)


sides = st.integers(1, 30_000)


@given(sides, sides)
def test_windows_lie_inside_and_their_number_is_bounded(height: int, width: int) -> None:
    windows = even_windows(height, width)
    assert 1 <= len(windows) <= WINDOWS_PER_SIDE**2
    for window in windows:
        assert 0 <= window.row < window.row_stop <= height
        assert 0 <= window.col < window.col_stop <= width


@given(sides, sides)
def test_no_part_of_a_raster_is_far_from_a_window(height: int, width: int) -> None:
    """Between two windows lies at most a quarter of the raster, beside the last half as much."""
    windows = even_windows(height, width)
    for length, parts in (
        (height, sorted({(window.row, window.row_stop) for window in windows})),
        (width, sorted({(window.col, window.col_stop) for window in windows})),
    ):
        ends = [0, *(stop for _, stop in parts)]
        starts = [*(start for start, _ in parts), length]
        gaps = [start - end for start, end in zip(starts, ends, strict=True)]
        assert max(gaps) <= length / WINDOWS_PER_SIDE + 1
        assert max(gaps[0], gaps[-1]) <= length / WINDOWS_PER_SIDE / 2 + 1


@given(st.integers(1, WINDOW_PX * WINDOWS_PER_SIDE), st.integers(1, WINDOW_PX * WINDOWS_PER_SIDE))
def test_a_small_raster_is_one_window(height: int, width: int) -> None:
    (window,) = even_windows(height, width)
    assert (window.height, window.width) == (height, width)


@given(sides, sides, st.integers(1, 5), st.integers(1, 40))
def test_spread_windows_see_each_part_of_a_raster_alike(
    height: int, width: int, a_side: int, side_px: int
) -> None:
    part = Window(3, 5, height, width)
    windows = spread_windows(part, a_side, side_px)
    assert len(windows) == min(a_side, height) * min(a_side, width)
    for window in windows:
        assert 3 <= window.row < window.row_stop <= part.row_stop
        assert 5 <= window.col < window.col_stop <= part.col_stop
        assert max(window.height, window.width) <= side_px
    rows = [(window.row + window.row_stop) / 2 - 3 for window in windows]
    assert abs(sum(rows) / len(rows) - height / 2) <= 1
    if max(height, width) <= a_side * side_px:
        assert sum(window.height * window.width for window in windows) == height * width


png_sides = st.integers(1, 12_000)


@given(height=png_sides, width=png_sides, longest=st.integers(1, 2000))
def test_a_reduced_grid_covers_the_same_ground(height, width, longest):
    grid = Grid(UTM31, TEN_METRES, height, width)
    small = reduced(grid, longest)
    assert max(small.height, small.width) <= max(longest, 1)
    assert small.height <= height
    corner = small.transform @ (small.width, small.height)
    assert corner == pytest.approx(grid.transform @ (width, height))


@given(height=st.integers(1, 100), width=st.integers(1, 100))
def test_a_small_grid_stays_as_it_is(height, width):
    grid = Grid(UTM31, TEN_METRES, height, width)
    assert reduced(grid, 100) == grid


def test_reflectance_is_averaged_and_stays_missing_where_it_is(tmp_path: Path):
    numbers = np.zeros((13, 8, 8), np.uint16)
    numbers[:, :4] = 1000
    numbers[:, :4, ::2] = 3000
    path = write_raster(tmp_path / "a.tif", numbers, OPTICAL_BANDS, nodata=0)
    with OpticalScene(path, 0.0) as scene:
        image = scene.reduced_reflectance(("B04", "B02"), reduced(scene.grid, 4))
        upper = scene.reduced_reflectance(("B04",), scene.grid, Window(0, 0, 4, 8))
    assert image.shape == (2, 4, 4)
    np.testing.assert_allclose(image[:, :2], 0.2, atol=1e-6)
    assert np.isnan(image[:, 2:]).all()
    assert upper.shape == (1, 8, 8)
    assert np.isfinite(upper).all()


def test_the_class_of_a_large_pixel_is_the_most_frequent(tmp_path: Path):
    mask = np.zeros((1, 4, 4), np.uint8)
    mask[0, :2, :2] = [[3, 3], [3, 1]]
    with Dataset(write_raster(tmp_path / "m.tif", mask, ["mask"])) as dataset:
        grid = Grid(UTM31, TEN_METRES, 2, 2)
        assert reduced_classes(dataset, grid).tolist() == [[3, 0], [0, 0]]
        right = Grid(UTM31, TEN_METRES, 2, 1)
        assert reduced_classes(dataset, right, Window(0, 2, 4, 2)).tolist() == [[0], [0]]


def test_a_part_is_read_as_if_it_were_the_file(small: Path) -> None:
    with Dataset(small) as file:
        file.part = Window(2, 1, 5, 4)
        part = NUMBERS[:, 2:7, 1:5]
        assert file.shape == (5, 4)
        np.testing.assert_array_equal(file.read([1, 0]), part[::-1])
        np.testing.assert_array_equal(file.read([0], Window(1, 2, 3, 2)), part[:1, 1:4, 2:4])
        np.testing.assert_array_equal(dataset.sample_windows(file, [0, 1]), part.reshape(2, -1))
        assert file.thinned([0, 1], 3).shape == (2, 3, 3)
        assert set(file.thinned([0], 3).ravel()) <= set(part[0].ravel())


def test_a_file_whose_set_is_half_renamed_is_completed_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, filled = tmp_path / "a.tif", tmp_path / "a_filled.tif"
    write_raster(result, NUMBERS, [None] * len(NUMBERS))
    drafts = new_draft_folder(result)
    write_raster(drafts / "a.tif", NUMBERS + 1, [None] * len(NUMBERS))
    Journal(drafts.name, (filled.name, result.name), (), replaces=True).begin(tmp_path)
    filled.touch()
    monkeypatch.setattr("cloudfree.core.drafts._RUN", "another")
    with Dataset(result) as file:
        np.testing.assert_array_equal(file.read([0]), NUMBERS[:1] + 1)
    assert sorted(tmp_path.iterdir()) == [result, filled]


def test_files_of_a_raster_are_those_that_gdal_reads(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", NUMBERS, [None] * len(NUMBERS))
    assert files_of_raster(path) == [path]
    assert files_of_raster(tmp_path / "none.tif") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(
        InputError, match=r"^a\.tif is a device or pipe; wanted the file of a raster"
    ):
        dataset.open_raster(str(tmp_path / "a.tif"), "a.tif")
