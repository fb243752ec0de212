"""Another date on the grid of a scene, whatever its own grid and shift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Transformer

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.date_on_grid import DateOnGrid
from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.core.grid import Grid, Window, strips
from cloudfree.raster.warp import placed
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import TEN_METRES, UTM31, write_raster

SIDE = 60
BANDS = ("B02", "B03", "B04", "B08")
GRID = Grid(CRS.from_string(UTM31).to_wkt(), TEN_METRES, SIDE, SIDE)
Opener = Callable[..., CloudyScene]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Opens a date of these pixels, with clouds where `cloud` is true."""
    with ExitStack() as stack:

        def opener(pixels: np.ndarray, cloud: np.ndarray | None = None, **kind) -> CloudyScene:
            classes = np.zeros((1, *pixels.shape[1:]), np.uint8)
            if cloud is not None:
                classes[0, cloud] = 1
            scene = write_raster(tmp_path / "s2.tif", pixels, BANDS, **kind)
            mask = write_raster(tmp_path / "mask.tif", classes, ["mask"], **kind)
            optical = stack.enter_context(OpticalScene(scene, 0.0))
            return CloudyScene(optical, stack.enter_context(MaskFile(mask, optical.grid)))

        yield opener


def _on_grid(date: CloudyScene, shift: Shift = NO_SHIFT, grid: Grid = GRID) -> DateOnGrid:
    source = placed(date.optical.grid, grid)
    assert source is not None
    return DateOnGrid(date, source, grid, shift)


def _ground(east_m: np.ndarray, south_m: np.ndarray) -> np.ndarray:
    """Numbers of ground that changes smoothly with its place."""
    bands = [2000 + 500 * np.sin(east_m / d) + 500 * np.cos(south_m / d) for d in (90, 120, 70, 80)]
    return np.rint(np.stack(bands)).astype(np.uint16)


def _ground_on(transform: Affine, side: int, crs: str = UTM31) -> np.ndarray:
    rows, cols = np.mgrid[:side, :side] + 0.5
    x, y = transform.a * cols + transform.c, transform.e * rows + transform.f
    x, y = Transformer.from_crs(crs, UTM31, always_xy=True).transform(x, y)
    return _ground(x - TEN_METRES.c, TEN_METRES.f - y)


def test_on_the_same_grid_clear_pixels_are_copied_and_clouds_are_hidden(opened: Opener) -> None:
    pixels = np.random.default_rng(0).integers(1, 9000, (4, SIDE, SIDE)).astype(np.uint16)
    pixels[:, :, 50:] = 0
    cloud = np.zeros((SIDE, SIDE), bool)
    cloud[10:20, 10:20] = True
    date = opened(pixels, cloud)
    clear = _on_grid(date).clear(BANDS[:2], GRID.window)
    hidden = cloud | (pixels[0] == 0)
    assert np.isnan(clear[:, hidden]).all()
    expected = date.optical.reflectance(BANDS[:2], GRID.window)
    np.testing.assert_array_equal(clear[:, ~hidden], expected[:, ~hidden])


def test_a_grid_that_is_moved_by_whole_pixels_is_copied_too(opened: Opener) -> None:
    pixels = np.random.default_rng(0).integers(1, 9000, (4, 70, 80)).astype(np.uint16)
    date = opened(pixels, transform=TEN_METRES @ Affine.translation(-12, -5))
    clear = _on_grid(date).clear(BANDS, GRID.window)
    expected = date.optical.reflectance(BANDS, Window(5, 12, SIDE, SIDE))
    np.testing.assert_array_equal(clear, expected)


def test_a_shift_is_taken_back(opened: Opener) -> None:
    shift = Shift(1.3, -2.4)
    moved = TEN_METRES @ Affine.translation(-shift.col, -shift.row)
    clear = _on_grid(opened(_ground_on(moved, SIDE)), shift).clear(BANDS, GRID.window)
    inside = (slice(None), slice(3, -3), slice(3, -3))
    expected = _ground_on(TEN_METRES, SIDE) / 10_000
    np.testing.assert_allclose(clear[inside], expected[inside], atol=6e-4)


@pytest.mark.parametrize(
    ("crs", "transform", "side", "atol"),
    [
        (UTM31, TEN_METRES @ Affine.translation(-6.5, -6.25), 80, 6e-4),
        (UTM31, Affine(20, 0, 499_900, 0, -20, 4_500_100), 40, 6e-3),
        (UTM31, Affine(5, 0, 499_900, 0, -5, 4_500_100), 160, 6e-3),
        ("EPSG:32630", Affine(10, 0, 1_006_000, 0, -10, 4_518_000), 250, 1e-3),
    ],
    ids=["half a pixel", "20 m", "5 m", "other zone"],
)
def test_any_grid_shows_the_same_ground(
    opened: Opener, crs: str, transform: Affine, side: int, atol: float
) -> None:
    date = opened(_ground_on(transform, side, crs), crs=crs, transform=transform)
    clear = _on_grid(date).clear(BANDS, GRID.window)
    seen = np.isfinite(clear)
    assert seen.mean() > 0.9
    expected = _ground_on(TEN_METRES, SIDE) / 10_000
    np.testing.assert_allclose(clear[seen], expected[seen], atol=atol)


def test_clouds_do_not_spread_over_their_edge(opened: Opener) -> None:
    pixels, cloud = np.full((4, SIDE, SIDE), 1500, np.uint16), np.zeros((SIDE, SIDE), bool)
    cloud[20:40, 20:40] = True
    pixels[:, cloud] = 9000
    clear = _on_grid(opened(pixels, cloud), Shift(0.5, 0.25)).clear(BANDS, GRID.window)
    seen = clear[np.isfinite(clear)]
    np.testing.assert_allclose(seen, 0.15, rtol=1e-5)
    hidden = np.isnan(clear[0, 2:-2, 2:-2]).sum()
    assert 20 * 20 <= hidden <= 21 * 21


@pytest.mark.parametrize("shift", [NO_SHIFT, Shift(0.4, 3.2)])
def test_strips_are_the_rows_of_the_whole(opened: Opener, shift: Shift) -> None:
    date = _on_grid(opened(_ground_on(TEN_METRES, SIDE)), shift)
    whole = date.clear(BANDS, GRID.window)
    parts = [date.clear(BANDS, strip) for strip in strips(SIDE, SIDE, 17)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-4)


def test_ground_beyond_the_other_date_is_missing(opened: Opener) -> None:
    away = TEN_METRES @ Affine.translation(500, 0)
    clear = _on_grid(opened(_ground_on(away, SIDE), transform=away)).clear(BANDS, GRID.window)
    assert clear.shape == (4, SIDE, SIDE) and np.isnan(clear).all()
