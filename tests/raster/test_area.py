"""An area in degrees becomes the fewest whole pixels that cover it."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from cloudfree.core.grid import Grid, Window
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import GeographicArea, SceneArea, box_area
from tests.factories.rasters import TEN_METRES, UTM31

UTM31_WKT = CRS.from_string(UTM31).to_wkt()
SCENE = Grid(UTM31_WKT, TEN_METRES, 400, 300)
DEGREES = Transformer.from_crs(UTM31, "EPSG:4326", always_xy=True)


def _degrees(col: float, row: float) -> tuple[float, float]:
    return DEGREES.transform(*(TEN_METRES @ (col, row)))


def _ring(*corners: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """A closed ring by its corners in pixels."""
    return tuple(_degrees(*corner) for corner in (*corners, corners[0]))


@given(
    st.floats(0, 280), st.floats(0, 380), st.floats(0.01, 1), st.floats(0.01, 1)
)  # corner, and the size as a share of what is left
def test_a_polygon_gets_the_fewest_pixels_that_cover_it(
    col: float, row: float, across: float, down: float
) -> None:
    right, bottom = col + across * (299.9 - col), row + down * (399.9 - row)
    area = GeographicArea("a", (_ring((col, row), (right, row), (right, bottom), (col, bottom)),))
    found = area.window(SCENE, "scene")
    # Corners within a thousandth of a pixel of an edge lie on it.
    for edge, inside in ((found.col, col), (found.row, row)):
        assert edge - 2e-3 <= inside < edge + 1 + 2e-3
    for edge, inside in ((found.col_stop, right), (found.row_stop, bottom)):
        assert edge - 1 - 2e-3 <= inside <= edge + 2e-3


def test_whole_pixels_stay_so() -> None:
    area = GeographicArea("a", (_ring((20, 10), (70, 10), (70, 40), (20, 40)),))
    assert area.window(SCENE, "scene") == Window(10, 20, 30, 50)


def test_several_polygons_are_covered_together() -> None:
    one, other = _ring((20, 10), (30, 10), (25, 20)), _ring((60, 80), (70, 80), (65, 90))
    assert GeographicArea("a", (one, other)).window(SCENE, "scene") == Window(10, 20, 80, 50)


def test_less_than_a_pixel_becomes_one() -> None:
    west, north = _degrees(5.4, 7.4)
    assert box_area((west, north - 1e-7, west + 1e-7, north)).window(SCENE, "s") == Window(
        7, 5, 1, 1
    )


def test_edges_along_a_parallel_bend_in_the_scene() -> None:
    """Over 70 km a parallel bulges by 80 m between its ends."""
    wide = Grid(UTM31_WKT, Affine(10, 0, 300_000, 0, -10, 6_700_000), 10_980, 10_980)
    area = box_area((0.0, 59.9, 1.2, 60.1))
    found = area.window(wide, "scene")
    to_metres = Transformer.from_crs("EPSG:4326", UTM31, always_xy=True)
    for step in range(101):
        for lat in (59.9, 60.1):
            col, row = ~wide.transform @ to_metres.transform(1.2 * step / 100, lat)
            assert found.row - 0.1 <= row <= found.row_stop + 0.1
            assert found.col - 0.1 <= col <= found.col_stop + 0.1


@pytest.mark.parametrize("grid", [SCENE, Grid(UTM31_WKT, TEN_METRES, 10_980, 10_980)])
@pytest.mark.parametrize("box", [(-180, -90, 180, 90), (-10, 30, 40, 60), (-176, -80, 80, 89)])
def test_an_area_far_larger_than_the_scene_holds_all_of_it(
    grid: Grid, box: tuple[float, ...], caplog: pytest.LogCaptureFixture
) -> None:
    assert box_area(box).window(grid, "scene.tif") == grid.window
    assert "reaches beyond scene.tif" in caplog.text


def test_half_an_area_is_cut_at_the_border(caplog: pytest.LogCaptureFixture) -> None:
    area = GeographicArea("--aoi a.json", (_ring((250, 350), (350, 350), (350, 450), (250, 450)),))
    assert area.window(SCENE, "scene.tif") == Window(350, 250, 50, 50)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == "--aoi a.json reaches beyond scene.tif: what lies in both is used"


def test_a_scene_in_degrees_is_cut_in_degrees() -> None:
    scene = Grid(CRS.from_epsg(4326).to_wkt(), Affine(0.01, 0, 10, 0, -0.01, 50), 100, 200)
    assert box_area((10.1, 49.5, 10.3, 49.75)).window(scene, "s") == Window(25, 10, 25, 20)


def test_the_other_side_of_a_scene_over_the_antimeridian_is_found() -> None:
    zone = CRS.from_epsg(32660)
    left, top = Transformer.from_crs("EPSG:4326", zone, always_xy=True).transform(179.9, 10.0)
    scene = Grid(zone.to_wkt(), Affine(10, 0, left, 0, -10, top), 1000, 3000)
    east = box_area((179.95, 9.93, 180, 9.99)).window(scene, "s")
    west = box_area((-180, 9.93, -179.95, 9.99)).window(scene, "s")
    assert (east.col_stop - west.col) in range(0, 30)
    assert west.width == pytest.approx(east.width, abs=30)


@pytest.mark.parametrize(
    "box", [(-60.0, -30.0, -59.0, -29.0), (3.5, 40.0, 3.6, 40.5), (170.0, -45.0, 171.0, -44.0)]
)
def test_an_area_elsewhere_is_refused_with_the_bounds_of_the_scene(box: Sequence[float]) -> None:
    with pytest.raises(InputError, match=r"--bbox .* has no pixel of scene\.tif; .*3,40\.6") as e:
        box_area(box).window(SCENE, "scene.tif")
    assert e.value.code is ErrorCode.NO_OVERLAP
    assert "\n" not in str(e.value)


def test_an_area_that_only_touches_the_scene_is_refused() -> None:
    area = GeographicArea("a", (_ring((300, 10), (320, 10), (320, 40), (300, 40)),))
    with pytest.raises(InputError, match="has no pixel"):
        area.window(SCENE, "scene")


def test_a_scene_without_coordinates_is_refused() -> None:
    nowhere = Grid(None, TEN_METRES, 400, 300)
    for area in (box_area((3, 40, 4, 41)), SceneArea(SCENE)):
        with pytest.raises(InputError, match=r"no coordinate system in s\.tif") as error:
            area.window(nowhere, "s.tif")
        assert error.value.code is ErrorCode.WRONG_GRID


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ((3.2, 40, 3.1, 41), r"crosses the antimeridian"),
        ((179, 40, -179, 41), r"crosses the antimeridian"),
        ((3, 41, 4, 40), r"^--bbox 3,41,4,40; wanted WEST,SOUTH,EAST,NORTH"),
        ((3, 40, 3, 41), r"^--bbox 3,40,3,41; wanted WEST"),
        ((3, 40, 4), r"^--bbox 3,40,4; wanted WEST"),
        ((3, 40, 4, math.nan), r"^--bbox 3,40,4,nan; wanted WEST"),
        ((3, 40, math.inf, 41), r"^--bbox 3,40,inf,41; wanted WEST"),
        ((500_000, 40, 510_000, 41), r"reaches from 500000 to 510000 .*EPSG:4326.*ogr2ogr"),
        ((3, 40, 4, 91), r"from 40 to 91"),
    ],
)
def test_what_is_no_box_is_refused(box: Sequence[float], found: str) -> None:
    with pytest.raises(InputError, match=found) as error:
        box_area(box)
    assert error.value.code is ErrorCode.BAD_OPTION
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("side", ["width", "height"])
def test_an_area_without_extent_is_refused(side: str) -> None:
    line = ((3.0, 40.0), (3.0, 41.0)) if side == "width" else ((3.0, 40.0), (4.0, 40.0))
    with pytest.raises(InputError, match="--aoi a has no extent"):
        GeographicArea("--aoi a", ((*line, *line),))


def test_areas_of_scenes_are_the_pixels_of_a_scene_and_a_margin() -> None:
    part = SCENE.crop(Window(100, 50, 80, 60))
    assert SceneArea(part).window(SCENE, "s") == Window(100, 50, 80, 60)
    assert SceneArea(part, 7).window(SCENE, "s") == Window(93, 43, 94, 74)
    assert SceneArea(part, 70).window(SCENE, "s") == Window(30, 0, 220, 180)


def test_areas_of_scenes_in_larger_pixels_of_another_zone() -> None:
    zone = CRS.from_epsg(32632)
    left, top = Transformer.from_crs(UTM31, zone, always_xy=True).transform(500_000, 4_500_000)
    other = Grid(zone.to_wkt(), Affine(20, 0, left - 2000, 0, -20, top + 2000), 600, 600)
    found = SceneArea(SCENE).window(other, "s")
    assert 150 <= found.width <= 190  # turned by some degrees
    assert 200 <= found.height <= 230


def test_areas_of_scenes_elsewhere_are_refused() -> None:
    far = Grid(UTM31_WKT, TEN_METRES @ Affine.translation(5000, 0), 10, 10)
    with pytest.raises(InputError, match=r"has no pixel of s\.tif") as error:
        SceneArea(far).window(SCENE, "s.tif")
    assert error.value.code is ErrorCode.NO_OVERLAP
